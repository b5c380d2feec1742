import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { silentLogger } from '../../base/log.ts'
import { until } from '../../testing/until.ts'
import { createNotifier } from './notify.ts'

test('systemd is told in order that a program is ready, lives and stops; without systemd nobody is', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'kilonova-notify-'))
  const [command, said] = [join(directory, 'systemd-notify'), join(directory, 'said')]
  writeFileSync(command, `#!/bin/sh\necho "$NOTIFY_SOCKET: $*" >>'${said}'\n`)
  chmodSync(command, 0o755)
  const PATH = `${directory}:${process.env['PATH']}`
  const lines = () => (existsSync(said) ? readFileSync(said, 'utf8').split('\n').slice(0, -1) : [])
  {
    using unheard = createNotifier(silentLogger, { PATH })
    unheard.ready()
  }
  let isAlive = false
  const environment = { PATH, NOTIFY_SOCKET: '/run/notify', WATCHDOG_USEC: '20000' }
  {
    using notifier = createNotifier(silentLogger, environment, () => isAlive)
    notifier.status('waiting for the database')
    notifier.ready()
    notifier.stopping()
    await until(async () => (lines().length >= 3 ? true : undefined), 'systemd to be told')
    assert.deepEqual(lines(), [
      '/run/notify: STATUS=waiting for the database',
      '/run/notify: READY=1 STATUS=running',
      '/run/notify: STOPPING=1 STATUS=answering what was asked',
    ])
    isAlive = true
    await until(
      async () => (lines().includes('/run/notify: WATCHDOG=1') ? true : undefined),
      'a sign of life',
    )
  }
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
})
