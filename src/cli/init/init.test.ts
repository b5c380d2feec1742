import assert from 'node:assert/strict'
import { appendFileSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { lintFiles } from '../config/lint/lint-files.ts'
import { init } from './init.ts'
import { etc, hostWith } from './init-world.ts'
import { type ControllerStore, readStore } from './store.ts'

const files = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))

/** Writes files as asked, without a word. */
const silently = (t: { mock: { method(of: object, name: string, as: () => void): unknown } }) =>
  t.mock.method(console, 'log', () => undefined)

test('a controller and a compute host get files that fit together, for their owners alone', async (t) => {
  silently(t)
  using controller = etc()
  using compute = etc()
  await init(
    'controller',
    { directory: controller.directory, controller: '10.0.0.11' },
    hostWith('10.0.0.11'),
  )
  const secrets = join(controller.directory, 'kilonova/compute.secrets')
  await init('compute', { directory: compute.directory, secrets }, hostWith('10.0.0.31'))

  for (const file of [...files(controller.directory), ...files(compute.directory)])
    assert.equal(statSync(file).mode & 0o007, 0, `${file} can be read by others`)
  for (const name of ['secrets.json', 'compute.secrets', 'admin-openrc'])
    assert.equal(statSync(join(controller.directory, 'kilonova', name)).mode & 0o777, 0o600)

  const text = (directory: string, path: string) => readFileSync(join(directory, path), 'utf8')
  const nova = text(compute.directory, 'nova/nova.conf')
  assert.match(nova, /^my_ip = 10\.0\.0\.31$/m)
  assert.doesNotMatch(nova, /connection|metadata_proxy/)
  const all = files(compute.directory)
    .map((file) => readFileSync(file, 'utf8'))
    .join('')
  const store = readStore(controller.directory) as ControllerStore
  for (const secret of [
    store.secrets.admin,
    store.secrets.metadata,
    ...Object.values(store.secrets.database),
  ])
    assert.ok(!all.includes(secret), 'a compute host has a secret that it does not need')
  for (const pattern of [/^transport_url = .*$/m, /^password = .*$/gm])
    assert.deepEqual(
      nova.match(pattern)?.slice(),
      text(controller.directory, 'nova/nova.conf').match(pattern)?.slice(),
    )
  const problems = files(controller.directory)
    .filter((path) => /\.(conf|ini)$/.test(path))
    .flatMap((path) => lintFiles([{ path, content: readFileSync(path, 'utf8') }]))
  assert.deepEqual(
    problems.filter(({ severity }) => severity === 'error'),
    [],
  )
})

test('again it changes nothing, and keeps what it was told', async (t) => {
  silently(t)
  using host = etc()
  const { directory } = host
  await init(
    'controller',
    { directory, controller: '10.0.0.11', database: 'postgresql' },
    hostWith('10.0.0.11'),
  )
  const before = files(directory).map((file) => readFileSync(file, 'utf8'))
  await init('controller', { directory }, hostWith('10.0.0.11'))
  assert.deepEqual(
    files(directory).map((file) => readFileSync(file, 'utf8')),
    before,
  )
  await assert.rejects(
    init('compute', { directory }, hostWith('10.0.0.11')),
    /This host is a controller host/,
  )
})

test('what was changed by hand is told without secrets, and written over only by --force', async (t) => {
  silently(t)
  using host = etc()
  const { directory } = host
  const run = hostWith('10.0.0.11')
  const options = { directory, controller: '10.0.0.11' }
  await init('controller', options, run)
  const file = join(directory, 'nova/nova.conf')
  const original = readFileSync(file, 'utf8')
  const changed = original
    .replace(/^password = .*$/m, 'password = mine')
    .replace('my_ip = 10.0.0.11', 'my_ip = 10.9.9.9')
  writeFileSync(file, changed)
  appendFileSync(file, '\n# by hand\n')
  await assert.rejects(init('controller', { ...options, address: '10.0.0.12' }, run), (error: Error) => {
    assert.match(
      error.message,
      /nova\.conf\n {2}- \[DEFAULT\] my_ip = 10\.9\.9\.9\n {2}\+ \[DEFAULT\] my_ip = 10\.0\.0\.12/,
    )
    assert.match(error.message, /- \[keystone_authtoken\] password = \*{4}\n/)
    assert.doesNotMatch(error.message, /mine|[0-9a-f]{32}/)
    return true
  })
  assert.equal(readStore(directory)?.settings.address, '10.0.0.11')
  await init('controller', { ...options, force: true }, run)
  assert.equal(readFileSync(file, 'utf8'), original)
  assert.match(readFileSync(`${file}.by-hand`, 'utf8'), /my_ip = 10\.9\.9\.9/)
  assert.equal(statSync(`${file}.by-hand`).mode & 0o007, 0)
})

test('a compute host without secrets is told where they come from', async (t) => {
  silently(t)
  using host = etc()
  const { directory } = host
  const run = hostWith('10.0.0.31')
  await assert.rejects(
    init('compute', { directory }, run),
    /copy \/etc\/kilonova\/compute\.secrets from there/,
  )
  const secrets = join(directory, 'other.json')
  writeFileSync(secrets, '{"controller": "controller", "secrets": {"rabbit": "a b"}}')
  await assert.rejects(init('compute', { directory, secrets }, run), /is no compute\.secrets/)
})
