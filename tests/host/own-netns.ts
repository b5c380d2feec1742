/** Runs a test file in a network namespace of its own, so that it can do to devices and rules whatever it likes. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { test } from 'node:test'

const mark = 'KILONOVA_TEST_NETNS'

/** Why tests of the host's network cannot run here; undefined when they can. */
function reasonToSkip(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root'
  for (const tool of [
    'ip',
    'iptables-save',
    'ebtables-save',
    'ipset',
    'dnsmasq',
    'haproxy',
    'busybox',
    'ping',
    'tcpdump',
  ]) {
    if (spawnSync('which', [tool]).status !== 0) return `needs ${tool}`
  }
  return undefined
}

/** Calls `define`, which registers tests, inside a throw-away namespace; outside of one it starts this file in one. */
export function inOwnNetns(file: string, define: () => void): void {
  if (process.env[mark] === '1') {
    // Namespaces made here are kept from the host's list, and end with this process.
    mkdirSync('/run/netns', { recursive: true })
    execFileSync('mount', ['-t', 'tmpfs', 'none', '/run/netns'])
    // The kernel's files about devices, too, are of the namespace that they were mounted in.
    execFileSync('mount', ['-t', 'sysfs', 'none', '/sys'])
    execFileSync('ip', ['link', 'set', 'lo', 'up'])
    define()
    return
  }
  const skip = reasonToSkip() ?? false
  test('the tests of this file, in a network namespace of their own', { skip }, () => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const result = spawnSync(
      'unshare',
      ['--net', '--mount', process.execPath, '--test', '--test-isolation=none', file],
      {
        env: { ...env, [mark]: '1' },
        encoding: 'utf8',
        timeout: 200_000,
        killSignal: 'SIGKILL',
      },
    )
    assert.equal(result.status, 0, result.stdout + result.stderr)
  })
}
