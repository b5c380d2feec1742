import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'

const agent = join(import.meta.dirname, '../../../bin/neutron-dhcp-agent')

test('a program that still waits for its broker ends at SIGTERM', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'kilonova-stopping-'))
  const file = join(directory, 'neutron.conf')
  writeFileSync(
    file,
    `[DEFAULT]\ntransport_url = rabbit://openstack:a-long-one@127.0.0.1:1\nstate_path = ${directory}\n[kilonova]\nsimulated = true\nsimulated_path = ${directory}\n`,
  )
  const child = spawn(agent, ['--config-file', file], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    const ended = once(child, 'exit')
    for await (const line of createInterface({ input: child.stdout }))
      if (line.includes('no RabbitMQ')) child.kill('SIGTERM')
    assert.deepEqual(await ended, [0, null])
  } finally {
    child.kill('SIGKILL')
    rmSync(directory, { recursive: true })
  }
})
