/** What a user does first: up, up again, verify, down, up, purge. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { cannotRunGuests, run, startRealCloud } from './cloud.ts'

const skip = cannotRunGuests()

/** Everything a cloud could leave on this machine, as lines. */
async function listing(): Promise<string[]> {
  const commands: readonly (readonly [string, ...string[]])[] = [
    ['ip', '-o', 'link', 'show'],
    ['ip', 'netns', 'list'],
    ['iptables-save'],
    ['ip6tables-save'],
    ['nft', 'list', 'ruleset'],
    ['ipset', 'list', '-n'],
    ['pgrep', '-a', 'qemu|dnsmasq|haproxy|libvirtd|virtlogd'],
    ['sh', '-c', 'cat /proc/mounts'],
  ]
  const lines: string[] = []
  for (const [command, ...args] of commands) {
    const { stdout } = await run(command, args)
    lines.push(
      ...stdout
        .split('\n')
        // A process that has ended and waits for its parent to notice is nobody's leftover.
        .filter((line) => !line.includes('<defunct>'))
        .map((line) => line.replace(/\[\d+:\d+\]|packets \d+ bytes \d+|^# .*|^\d+: /g, '')),
    )
  }
  return [...new Set(lines)].sort()
}

test('up, verify twice, down and up again, and a purge that leaves nothing', { skip }, async () => {
  const before = await listing()
  let stateDir = ''
  {
    await using cloud = await startRealCloud()
    stateDir = cloud.stateDir
    const again = await cloud.kilonova('up')
    assert.equal(again.code, 0)
    assert.match(again.stdout, /is up already; nothing was changed/)
    for (const round of [1, 2]) {
      const verified = await cloud.kilonova('verify')
      assert.equal(verified.code, 0, `round ${round}: ${verified.stdout}${verified.stderr}`)
    }
    assert.equal((await cloud.kilonova('status')).code, 0)
    const refused = await cloud.kilonova('up', '--listen', '127.0.0.2')
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /was made with listen = 127\.0\.0\.1/)
    assert.equal((await cloud.kilonova('down')).code, 0)
    assert.equal((await cloud.kilonova('status')).code, 3)
    assert.equal((await cloud.kilonova('up')).code, 0)
    const log = readFileSync(`${stateDir}/log/kilonova.log`, 'utf8')
    assert.doesNotMatch(log, /unexpected error|unhandled rejection/)
  }
  assert.equal(existsSync(stateDir), false)
  const after = await listing()
  assert.deepEqual(
    after.filter((line) => !before.includes(line)),
    [],
  )
})
