/** Network agents of a user without any rights: real links, filters, dnsmasq and haproxy, by sudo and the privileged helper. */
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { aPort, networkId } from '../../src/network/agents/testing.ts'
import { inOwnNetns } from './own-netns.ts'
import { VethGuest } from './veth-guest.ts'

const program = join(import.meta.dirname, '../..')
const user = 'nobody'
const netns = `qdhcp-${networkId}`

inOwnNetns(import.meta.filename, () => {
  const skip = spawnSync('which', ['sudo']).status !== 0 && 'needs sudo'
  let agents: ChildProcess
  let lines: AsyncIterator<string>
  let guest: VethGuest

  before(() => {
    if (skip !== false) return
    // The program where the user can reach it, and a rule for sudo, neither seen outside of this namespace.
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=0755', 'none', '/mnt'])
    for (const name of ['program', 'sudoers.d', 'state']) mkdirSync(`/mnt/${name}`, { mode: 0o755 })
    execFileSync('mount', ['--rbind', program, '/mnt/program'])
    execFileSync('chown', [user, '/mnt/state'])
    const rule = `${user} ALL = (root) NOPASSWD: /mnt/program/bin/kilonova-rootwrap neutron\n`
    writeFileSync('/mnt/sudoers.d/kilonova', rule, { mode: 0o440 })
    execFileSync('mount', ['--bind', '/mnt/sudoers.d', '/etc/sudoers.d'])
    execFileSync('ip', ['link', 'add', 'nic', 'type', 'veth', 'peer', 'name', 'cable'])
    agents = spawn(
      'setpriv',
      [
        ...[`--reuid=${user}`, '--regid=nogroup', '--clear-groups', '--inh-caps=-all', '--'],
        ...['/mnt/program/node_modules/.bin/node', '--disable-warning=ExperimentalWarning'],
        ...['/mnt/program/tests/host/unprivileged-agents.ts', '/mnt/state/neutron'],
      ],
      { stdio: ['pipe', 'pipe', 'inherit'], cwd: '/', env: { PATH: process.env['PATH'], HOME: '/' } },
    )
    lines = createInterface({ input: agents.stdout! })[Symbol.asyncIterator]()
  })

  after(async () => {
    if (skip !== false) return
    agents.kill('SIGKILL')
    for (const pid of processesOf(/dnsmasq|haproxy/)) process.kill(pid, 'SIGKILL')
  })

  const said = async () => (await lines.next()).value
  const ask = async (command: string) => {
    agents.stdin!.write(`${command}\n`)
    return await said()
  }

  /** Processes in the network's namespace, or the helper's, by their command lines. */
  function processesOf(pattern: RegExp): number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => pattern.test(commandOf(pid)) && commandOf(pid).includes('/mnt/'))
  }

  const read = (file: string) => {
    try {
      return readFileSync(file, 'utf8')
    } catch {
      // It ended just now.
      return ''
    }
  }
  const commandOf = (pid: number) => read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')
  const status = (pid: number, field: string) =>
    new RegExp(`^${field}:\\s+(.*)$`, 'm').exec(read(`/proc/${pid}/status`))?.[1]

  test('a guest gets its address and reaches the metadata service', { skip }, async () => {
    assert.equal(await said(), 'started')
    assert.equal(await ask('serve'), 'done serve')
    guest = new VethGuest(aPort(3))
    const lease = await guest.run('busybox', 'udhcpc', '-i', 'eth0', '-n', '-q', '-f', '-s', '/bin/true')
    assert.match(lease.output, /lease of 10\.0\.0\.3 obtained/)
    guest.useAddresses()
    guest.ip('route', 'replace', '169.254.169.254/32', 'via', '10.0.0.2')
    const reply = await guest.run('busybox', 'wget', '-q', '-O', '-', 'http://169.254.169.254/')
    assert.equal(reply.output, 'who you are')
    assert.match(execFileSync('iptables-save', { encoding: 'utf8' }), /-A INPUT -j neutron-linuxbri-INPUT/)
  })

  test('what serves guests has the rights of the agents, and few capabilities or none', { skip }, () => {
    const uid = execFileSync('id', ['-u', user], { encoding: 'utf8' }).trim()
    const rights = Object.fromEntries(
      ['dnsmasq', 'haproxy'].map((name) => {
        const [pid] = processesOf(new RegExp(`/${name} `))
        assert.ok(pid !== undefined, `${name} does not run`)
        assert.deepEqual(new Set(status(pid, 'Uid')!.split('\t')), new Set([uid]))
        assert.equal(status(pid, 'NoNewPrivs'), '1')
        assert.equal(status(pid, 'CapEff'), status(pid, 'CapBnd'))
        return [name, Number.parseInt(status(pid, 'CapBnd')!, 16)]
      }),
    )
    // linux/capability.h: 10 net_bind_service, 12 net_admin, 13 net_raw.
    assert.deepEqual(rights, { dnsmasq: (1 << 10) | (1 << 12) | (1 << 13), haproxy: 0 })
  })

  test('a changed port is taken over without a new dnsmasq', { skip }, async () => {
    const before = processesOf(/\/dnsmasq /)
    assert.equal(await ask('reload'), 'done reload')
    assert.deepEqual(processesOf(/\/dnsmasq /), before)
    assert.match(readFileSync(`/mnt/state/neutron/dhcp/${networkId}/host`, 'utf8'), /10\.0\.0\.4/)
  })

  test('whoever has taken over an agent gets no shell of root', { skip }, async () => {
    assert.match(await ask('shell'), /^failed shell: The privileged helper denies ip/)
    const bySudo = spawnSync('setpriv', [
      `--reuid=${user}`,
      '--regid=nogroup',
      '--clear-groups',
      'sudo',
      '-n',
      'id',
    ])
    assert.notEqual(bySudo.status, 0)
  })

  test('what is withdrawn leaves nothing, and the helper ends with the agents', { skip }, async () => {
    assert.equal(await ask('withdraw'), 'done withdraw')
    assert.deepEqual(processesOf(/\/(dnsmasq|haproxy) /), [])
    assert.doesNotMatch(execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' }), new RegExp(netns))
    assert.equal(processesOf(/rootwrap\/helper\/main\.ts/).length, 1)
    assert.equal(await ask('end'), 'done end')
    const deadline = Date.now() + 10_000
    while (processesOf(/rootwrap\/helper\/main\.ts/).length > 0) {
      assert.ok(Date.now() < deadline, 'the helper goes on without its parent')
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })
})
