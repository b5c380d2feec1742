/**
 * Command lines as patterns: regular expressions in which words in capitals stand for what changes. No word of a command
 * line has blanks, quotes or backslashes in it, and none that stands for something begins with `-`, so that no value is
 * an option, and what a tool splits a line into is what was looked at here.
 */

const hex = '[0-9a-fA-F]'
const ipv4 = '\\d{1,3}(?:\\.\\d{1,3}){3}'
const uuid = `${hex}{8}(?:-${hex}{4}){3}-${hex}{12}`

const meanings: Readonly<Record<string, string>> = {
  /** The kernel has room for 15 characters. */
  DEVICE: '[A-Za-z0-9][A-Za-z0-9_.-]{0,14}',
  /** Devices that neutron's agents make: of networks, ports, tunnels and VLANs. */
  BRIDGE: 'brq[0-9a-f-]{1,11}',
  TAP: 'tap[0-9a-f-]{1,11}',
  INSIDE: 'ns-[0-9a-f-]{1,11}',
  VXLAN: 'vxlan-\\d{1,8}',
  VLAN: '[A-Za-z0-9][A-Za-z0-9_.-]{0,12}\\.\\d{1,4}',
  MAC: `${hex}{2}(?::${hex}{2}){5}`,
  ADDRESS: `(?:${ipv4}|${hex}{0,4}(?::(?:${hex}{0,4}|${ipv4})){2,7})(?:/\\d{1,3})?`,
  NUMBER: '\\d{1,10}',
  UUID: uuid,
  ALIAS: 'kilonova:[A-Za-z0-9_-]{1,64}',
  /** Namespaces of networks: no path, and no other program's. */
  NETNS: `qdhcp-${uuid}`,
  /** Chains that the bridge agent owns. */
  CHAIN: '(?:neutron-linuxbri|neutronMAC|neutronARP)-[A-Za-z0-9_-]{1,24}',
  SET: 'NIPv[46][0-9a-f-]{1,26}',
  /** Some names in /etc/protocols have a dot or a stroke. */
  PROTOCOL: '[A-Za-z0-9][A-Za-z0-9+-]*(?:[./][A-Za-z0-9+-]+)*',
  /** Absolute, without `.` and `..`. */
  DIRECTORY: '(?:/[A-Za-z0-9_+-][A-Za-z0-9_.+-]*)+',
}

/** Matches a whole line; round brackets only group. */
export function pattern(text: string): RegExp {
  const source = text
    .replaceAll('(', '(?:')
    .replaceAll(/[A-Z]{3,}/g, (word) => (meanings[word] === undefined ? word : `(?:${meanings[word]})`))
  return new RegExp(`^(?:${source})$`)
}

/** Anything but visible ASCII, and quotes and backslashes: a tool might read them as more than a part of a word. */
const notInWords = /[^\x21-\x7e]|["'`\\]/

/** A command line as one text, each blank of which is between two words; undefined when a word has what none may have. */
export function joined(args: readonly string[]): string | undefined {
  return args.some((word) => word === '' || notInWords.test(word)) ? undefined : args.join(' ')
}

/** The lines of an input; undefined when the last is not ended, or one has what no word may have. */
export function linesOf(input: string): string[] | undefined {
  if (!input.endsWith('\n')) return undefined
  const lines = input.slice(0, -1).split('\n')
  return lines.every((line) => joined(line.split(' ')) !== undefined) ? lines : undefined
}
