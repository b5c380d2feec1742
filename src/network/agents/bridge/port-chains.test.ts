import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cloudNames } from '../names.ts'
import { aGroup, aPort, aRule, groupId } from '../testing.ts'
import { frameChains, portChains } from './port-chains.ts'
import { linkLocalAddress, ruleText } from './rule-text.ts'

const names = cloudNames('default')
const groups = (rules?: Parameters<typeof aGroup>[0]) => new Map(Object.entries(aGroup(rules)))
const how = { names, protocols: new Map<number, string>() }
const text = (values: Parameters<typeof aRule>[0]) => ruleText(aRule(values), names, new Map([[47, 'gre']]))

test('rules are spelled as iptables-save prints them', () => {
  const cases: [Parameters<typeof aRule>[0], string][] = [
    [{}, '-j RETURN'],
    [{ protocol: 'tcp', portRangeMin: 22, portRangeMax: 22 }, '-p tcp -m tcp --dport 22 -j RETURN'],
    [{ protocol: '17', portRangeMin: 1, portRangeMax: 9 }, '-p udp -m multiport --dports 1:9 -j RETURN'],
    [{ protocol: 'icmp' }, '-p icmp -j RETURN'],
    [{ protocol: '1', portRangeMin: 8, portRangeMax: 0 }, '-p icmp -m icmp --icmp-type 8/0 -j RETURN'],
    [{ protocol: 'icmp', portRangeMin: 8 }, '-p icmp -m icmp --icmp-type 8 -j RETURN'],
    [
      { ethertype: 'IPv6', protocol: 'icmp', portRangeMin: 128 },
      '-p ipv6-icmp -m icmp6 --icmpv6-type 128 -j RETURN',
    ],
    [{ protocol: 'gre' }, '-p gre -j RETURN'],
    [{ protocol: '47' }, '-p gre -j RETURN'],
    [{ protocol: '253' }, '-p 253 -j RETURN'],
    [{ remoteIpPrefix: '10.1.2.3/8' }, '-s 10.0.0.0/8 -j RETURN'],
    [{ remoteIpPrefix: '0.0.0.0/0' }, '-j RETURN'],
    [{ direction: 'egress', remoteIpPrefix: '10.1.2.3' }, '-d 10.1.2.3/32 -j RETURN'],
    [{ ethertype: 'IPv6', remoteIpPrefix: '2001:DB8:0::1/32' }, '-s 2001:db8::/32 -j RETURN'],
    [
      { protocol: 'tcp', portRangeMin: 1, portRangeMax: 1, remoteGroupId: groupId },
      `-p tcp -m tcp --dport 1 -m set --match-set NIPv4${groupId.slice(0, 24)} src -j RETURN`,
    ],
  ]
  for (const [rule, expected] of cases) assert.equal(text(rule), expected)
})

test('a guest may only be who it is: its addresses with its MAC address, and its pairs', () => {
  const port = aPort(1, {
    fixedIps: [
      { subnetId: 's', ipAddress: '10.0.0.1', prefixLength: 24 },
      { subnetId: 's6', ipAddress: '2001:db8::1', prefixLength: 64 },
    ],
    allowedAddressPairs: [{ ipAddress: '10.9.0.0/16', macAddress: '02:00:00:00:00:09' }],
  })
  const chains = portChains(port, { ...how, groups: groups() })
  assert.deepEqual(chains.ipv4.get('neutron-linuxbri-saaaaaaa1-2'), [
    '-s 10.0.0.1/32 -m mac --mac-source fa:16:3e:00:00:01 -j RETURN',
    '-s 10.9.0.0/16 -m mac --mac-source 02:00:00:00:00:09 -j RETURN',
    '-j DROP',
  ])
  assert.deepEqual(chains.ipv6.get('neutron-linuxbri-saaaaaaa1-2'), [
    '-s 2001:db8::1/128 -m mac --mac-source fa:16:3e:00:00:01 -j RETURN',
    '-s fe80::f816:3eff:fe00:1/128 -m mac --mac-source fa:16:3e:00:00:01 -j RETURN',
    '-j DROP',
  ])
  const frames = frameChains(port, names)
  assert.deepEqual(frames.get('neutronMAC-tapaaaaaaa1-22'), [
    '-s 02:00:00:00:00:09 -j RETURN',
    '-s fa:16:3e:00:00:01 -j RETURN',
    '-j DROP',
  ])
  assert.deepEqual(frames.get('neutronARP-tapaaaaaaa1-22'), [
    '-p ARP --arp-ip-src 10.0.0.1 -j ACCEPT',
    '-p ARP --arp-ip-src 10.9.0.0/16 -j ACCEPT',
    '-j DROP',
  ])
})

test('without rules everything that comes in is dropped, except answers and DHCP', () => {
  const chains = portChains(aPort(1), { ...how, groups: groups() })
  assert.deepEqual(chains.ipv4.get('neutron-linuxbri-iaaaaaaa1-2'), [
    '-d 10.0.0.1/32 -p udp -m udp --sport 67 --dport 68 -j RETURN',
    '-d 255.255.255.255/32 -p udp -m udp --sport 67 --dport 68 -j RETURN',
    '-m state --state RELATED,ESTABLISHED -j RETURN',
    '-m state --state INVALID -j DROP',
    '-j neutron-linuxbri-sg-fallback',
  ])
})

test('a stateless group has no rules about connections', () => {
  const stateless = groups([aRule({ protocol: 'icmp' })])
  stateless.get(groupId)!.stateful = false
  const chains = portChains(aPort(1), { ...how, groups: stateless })
  assert.equal(
    [...chains.ipv4.values()].flat().some((rule) => rule.includes('state')),
    false,
  )
})

test('link-local addresses are made of MAC addresses', () => {
  assert.equal(linkLocalAddress('fa:16:3e:00:0a:01'), 'fe80::f816:3eff:fe00:a01')
})
