/**
 * What iptables-restore and its siblings may be given. To them a rule is a whole command line, in which `--modprobe`
 * names a program to run and some matches read files; so each option that may stand there is listed, in full.
 */
import { pattern } from './patterns.ts'

const states = '(NEW|INVALID|ESTABLISHED|RELATED|UNTRACKED)'

export const packetRules = rulesOf({
  tables: '(raw|filter)',
  newChain: ':CHAIN - \\[0:0\\]',
  parts: [
    '-(s|d) ADDRESS',
    '-(i|o) DEVICE',
    '-p PROTOCOL',
    '-m (physdev|mac|set|multiport|state|tcp|udp|sctp|dccp|udplite|icmp|icmp6)',
    '--physdev-(in|out) DEVICE',
    '--physdev-is-bridged',
    '--mac-source MAC',
    '--match-set SET (src|dst)',
    '--(sport|dport|sports|dports) NUMBER(:NUMBER)?',
    '--(icmp-type|icmpv6-type) NUMBER(/NUMBER)?',
    `--state ${states}(,${states})*`,
  ],
  ends: ['-j (RETURN|DROP|ACCEPT)', '-j CT --zone NUMBER', '-j CT --notrack'],
})

/** For ebtables-restore. */
export const frameRules = rulesOf({
  tables: 'nat',
  newChain: ':CHAIN ACCEPT',
  parts: ['-s MAC', '-i DEVICE', '-p ARP', '--arp-ip-src ADDRESS'],
  ends: ['-j (RETURN|DROP|ACCEPT)'],
})

function rulesOf(language: {
  tables: string
  newChain: string
  parts: readonly string[]
  /** What a rule may do, besides going on in a chain of the agent's own. */
  ends: readonly string[]
}): readonly RegExp[] {
  const parts = `((${language.parts.join('|')}) )*`
  const ends = `(${['-j CHAIN', ...language.ends].join('|')})`
  return [
    `\\*${language.tables}`,
    language.newChain,
    'COMMIT',
    '-(F|X) CHAIN',
    `-(A|D|I) CHAIN( NUMBER)? ${parts}${ends}`,
    // In chains that are everybody's, only the way into the agent's own; OpenStack's agents have one in a chain of theirs.
    `-I (INPUT|FORWARD|PREROUTING) NUMBER ${parts}-j CHAIN`,
    `-D [A-Za-z0-9][A-Za-z0-9_-]{0,27} ${parts}-j CHAIN`,
  ].map(pattern)
}
