/** IP addresses as numbers: all that allocation needs of them. */
import { isIPv4, isIPv6 } from 'node:net'

export type IpVersion = 4 | 6

export interface Ip {
  version: IpVersion
  value: bigint
}

export interface Cidr {
  version: IpVersion
  prefixLength: number
  first: bigint
  last: bigint
}

/** First and last address. */
export interface IpRange {
  first: bigint
  last: bigint
}

const bits = { 4: 32, 6: 128 } as const

/** Undefined for what is no address; zones (`%eth0`) are none of ours. */
export function parseIp(text: string): Ip | undefined {
  if (isIPv4(text)) {
    let value = 0n
    for (const octet of text.split('.')) value = (value << 8n) | BigInt(octet)
    return { version: 4, value }
  }
  if (!isIPv6(text) || text.includes('%')) return undefined
  return { version: 6, value: parseIpv6(text) }
}

function parseIpv6(text: string): bigint {
  // The last 32 bits may be written as IPv4.
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text)
  let hex = text
  if (dotted !== null) {
    const low = parseIp(dotted[2]!)!.value
    hex = `${dotted[1]}${(low >> 16n).toString(16)}:${(low & 0xffffn).toString(16)}`
  }
  const [head, tail] = hex.split('::')
  const left = head === '' ? [] : head!.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length
  const groups = [...left, ...Array<string>(zeros).fill('0'), ...right]
  return groups.reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n)
}

/** The canonical text: dotted, or RFC 5952. */
export function formatIp(version: IpVersion, value: bigint): string {
  if (version === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.')
  const groups = Array.from({ length: 8 }, (_, index) => (value >> BigInt(112 - 16 * index)) & 0xffffn)
  let best = { start: 0, length: 1 }
  for (let start = 0; start < 8; start++) {
    let length = 0
    while (start + length < 8 && groups[start + length] === 0n) length++
    if (length > best.length) best = { start, length }
  }
  const text = (from: number, to: number) =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(':')
  if (best.length < 2) return text(0, 8)
  return `${text(0, best.start)}::${text(best.start + best.length, 8)}`
}

/** `10.0.0.0/24`; an address alone is its own network. Bits of the host part are dropped. */
export function parseCidr(text: string): Cidr | undefined {
  const [address, prefix, ...rest] = text.split('/')
  const ip = parseIp(address!)
  if (ip === undefined || rest.length > 0) return undefined
  if (prefix !== undefined && !/^\d{1,3}$/.test(prefix)) return undefined
  const width = bits[ip.version]
  const prefixLength = prefix === undefined ? width : Number(prefix)
  if (prefixLength > width) return undefined
  const size = 1n << BigInt(width - prefixLength)
  const first = (ip.value / size) * size
  return { version: ip.version, prefixLength, first, last: first + size - 1n }
}

/** Its canonical text: network address and prefix length. */
export const formatCidr = (cidr: Cidr): string => `${formatIp(cidr.version, cidr.first)}/${cidr.prefixLength}`

/** The address in the form that is stored, or the text itself when it is none. */
export function canonicalIp(text: string): string {
  const ip = parseIp(text)
  return ip === undefined ? text : formatIp(ip.version, ip.value)
}

export const overlaps = (one: IpRange, other: IpRange): boolean =>
  one.first <= other.last && other.first <= one.last

export const within = (range: IpRange, value: bigint): boolean => range.first <= value && value <= range.last

/** What is left of a list of ranges when some others are taken out; sorted. */
export function subtract(ranges: readonly IpRange[], taken: readonly IpRange[]): IpRange[] {
  let left = [...ranges]
  for (const hole of taken) {
    left = left.flatMap((range) => {
      if (!overlaps(range, hole)) return [range]
      const parts: IpRange[] = []
      if (range.first < hole.first) parts.push({ first: range.first, last: hole.first - 1n })
      if (hole.last < range.last) parts.push({ first: hole.last + 1n, last: range.last })
      return parts
    })
  }
  return left.sort((one, other) => (one.first < other.first ? -1 : 1))
}

/** The addresses that hosts may have: not an IPv4 subnet's first and last, not an IPv6 subnet's first. */
export function hostRange(cidr: Cidr): IpRange {
  if (cidr.first === cidr.last) return { first: cidr.first, last: cidr.last }
  if (cidr.version === 6) return { first: cidr.first + 1n, last: cidr.last }
  if (cidr.prefixLength > 30) return { first: cidr.first, last: cidr.last }
  return { first: cidr.first + 1n, last: cidr.last - 1n }
}

/** The address that a host with this MAC gives itself by SLAAC (RFC 4291, appendix A). */
export function eui64(cidr: Cidr, mac: string): string {
  const value = BigInt(`0x${mac.replaceAll(':', '')}`)
  const identifier = (((value >> 24n) << 40n) | (0xfffen << 24n) | (value & 0xffffffn)) ^ (1n << 57n)
  return formatIp(6, cidr.first | identifier)
}
