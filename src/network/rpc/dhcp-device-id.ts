import { createHash } from 'node:crypto'

const dnsNamespace = Buffer.from('6ba7b8109dad11d180b400c04fd430c8', 'hex')

/** `dhcp<uuid5 of the host's short name>-<network id>`, as neutron's agents name themselves. */
export function dhcpDeviceId(host: string, networkId: string): string {
  const hash = createHash('sha1').update(dnsNamespace).update(host.split('.')[0]!).digest().subarray(0, 16)
  hash[6] = (hash[6]! & 0x0f) | 0x50
  hash[8] = (hash[8]! & 0x3f) | 0x80
  const hex = hash.toString('hex')
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)]
  return `dhcp${parts.join('-')}-${networkId}`
}
