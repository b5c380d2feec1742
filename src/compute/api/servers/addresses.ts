import ipaddr from 'ipaddr.js'
import type { NetworkInfo } from '../../store/network-info.ts'

export interface AddressView {
  version: number
  addr: string
  'OS-EXT-IPS:type': string
  'OS-EXT-IPS-MAC:mac_addr': string
}

/** A server's addresses by the name of their network: fixed ones first, then floating ones. */
export function addressesOf(info: NetworkInfo): Record<string, AddressView[]> {
  const byNetwork: Record<string, AddressView[]> = {}
  const floating: [string, AddressView][] = []
  for (const port of info) {
    const { label } = port.network
    const list = byNetwork[label] ?? []
    byNetwork[label] = list
    for (const subnet of port.network.subnets) {
      for (const ip of subnet.ips) {
        list.push(view(ip, port.address))
        for (const outer of ip.floating_ips) floating.push([label, view(outer, port.address)])
      }
    }
  }
  for (const [label, address] of floating) byNetwork[label]!.push(address)
  return byNetwork
}

const view = (ip: { version: number; address: string; type: string }, mac: string): AddressView => ({
  version: ip.version,
  addr: ip.address,
  'OS-EXT-IPS:type': ip.type,
  'OS-EXT-IPS-MAC:mac_addr': mac,
})

/** An IPv6 address as it is shown, whichever way it was written. */
export function shortAddress(text: string): string
export function shortAddress(text: string | undefined): string | undefined
export function shortAddress(text: string | undefined): string | undefined {
  return text === undefined ? undefined : ipaddr.IPv6.parse(text).toRFC5952String()
}
