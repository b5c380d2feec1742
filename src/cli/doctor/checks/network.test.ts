import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '../../../base/errors.ts'
import type { Run } from '../../../linux/run.ts'
import type { Finding } from '../finding.ts'
import { networkChecks } from './network.ts'

/** A host of which these commands fail, and what was left of the namespaces that were made on it. */
function hostWithout(...broken: string[]) {
  const namespaces = new Set<string>()
  const run: Run = async (command, args, options = {}) => {
    const line = [command, ...args].join(' ')
    if (broken.some((text) => line.includes(text) || options.input?.includes(text))) {
      throw new Fault('unavailable', `${line} failed with exit code 2: not supported.`)
    }
    if (line.startsWith('ip netns add')) namespaces.add(args[2]!)
    if (line.startsWith('ip netns delete')) namespaces.delete(args[2]!)
    const said: Record<string, string> = {
      'ip -json netns list': JSON.stringify([...namespaces].map((name) => ({ name }))),
      'ip -json -details link show': '[]',
      'dnsmasq --version':
        'Dnsmasq version 2.90  Copyright\nCompile time options: IPv6 GNU-getopt DHCP DHCPv6\n',
      'haproxy -v': 'HAProxy version 2.6.12-1 2023/12/16\n',
    }
    return { stdout: said[line] ?? '', stderr: '', code: 0 }
  }
  return { run, namespaces }
}

async function findings(
  run: Run,
  { isRoot = true, bridged = '1' as string | null } = {},
): Promise<Finding[]> {
  const checks = networkChecks({ run, isRoot, setting: () => bridged ?? undefined })
  return (await Promise.all(checks.map((check) => check.run()))).flat()
}

const wrong = (all: readonly Finding[]) =>
  all.filter(({ result }) => result !== 'ok').map(({ result, subject }) => `${result} ${subject}`)

test('a host that can do everything has nothing to mend, and keeps no namespace', async () => {
  const host = hostWithout()
  assert.deepEqual(wrong(await findings(host.run)), [])
  assert.equal(host.namespaces.size, 0)
})

test('what fails is named with its remedy; what is lost alone is a warning', async () => {
  const host = hostWithout('type vxlan', '--physdev-in tap0', 'match-set', '--arp-ip-src', 'conntrack -D')
  const all = await findings(host.run)
  assert.deepEqual(wrong(all), [
    'warning VXLAN',
    'failure iptables',
    'warning ip6tables',
    'warning ipset',
    'failure ebtables',
    'failure conntrack',
  ])
  const vxlan = all.find(({ subject }) => subject === 'VXLAN')!
  assert.match(vxlan.detail, /networks of type vxlan do not work/)
  assert.match(vxlan.fix!, /^modprobe vxlan/)
  assert.equal(host.namespaces.size, 0)
})

test('a host without namespaces, and one that is not looked at by root', async () => {
  assert.deepEqual(wrong(await findings(hostWithout('netns add').run)), ['failure network namespaces'])
  assert.deepEqual(wrong(await findings(hostWithout().run, { isRoot: false })), [
    'warning network namespaces',
  ])
})

test('bridges that iptables does not see are told', async () => {
  const { run } = hostWithout()
  const full = 'net.bridge.bridge-nf-call-iptables'
  assert.ok(wrong(await findings(run, { bridged: null })).includes(`failure ${full}`))
  assert.ok(wrong(await findings(run, { bridged: '0' })).includes(`warning ${full}`))
})

test('a dnsmasq that is missing or too old is told', async () => {
  assert.deepEqual(wrong(await findings(hostWithout('dnsmasq').run)), ['failure dnsmasq'])
  const { run } = hostWithout()
  const old: Run = async (command, args, options) =>
    command === 'dnsmasq'
      ? { stdout: 'Dnsmasq version 2.48\n', stderr: '', code: 0 }
      : await run(command, args, options)
  assert.match((await findings(old))[0]!.detail, /version 2\.48 is older than 2\.67/)
})
