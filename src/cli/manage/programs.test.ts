import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { managePrograms } from './programs.ts'

/** Runs programs over configuration files in a directory of its own; gives exit code and output. */
function programsIn(sections: Readonly<Record<string, string>>) {
  const directory = mkdtempSync(join(tmpdir(), 'kilonova-programs-'))
  for (const [name, content] of Object.entries(sections)) {
    writeFileSync(join(directory, name), content.replaceAll('HERE', directory))
  }
  return {
    directory,
    async run(line: string, file: string): Promise<{ code: number; output: string }> {
      const [program = '', ...args] = line.split(' ')
      const lines: string[] = []
      const { log, error } = console
      console.log = console.error = (text: string) => void lines.push(text)
      try {
        const code = await managePrograms[program]!(['--config-file', join(directory, file), ...args])
        return { code, output: lines.join('\n') }
      } finally {
        console.log = log
        console.error = error
      }
    },
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  }
}

test('keystone-manage makes the database, the keys and the first user, again and again', async () => {
  using here = programsIn({
    'keystone.conf':
      '[database]\nconnection = sqlite:///HERE/keystone\n[fernet_tokens]\nkey_repository = HERE/keys\n',
  })
  const run = (line: string) => here.run(`keystone-manage ${line}`, 'keystone.conf')
  assert.equal((await run('db_sync --check')).code, 2)
  assert.match(
    (await run('bootstrap --bootstrap-password secret')).output,
    /run keystone-manage db_sync first/,
  )
  assert.deepEqual(await run('db_sync'), { code: 0, output: '' })
  assert.deepEqual(await run('db_sync'), { code: 0, output: '' })
  assert.equal((await run('db_sync --check')).code, 0)
  assert.match((await run('db_version')).output, /^\d{3}-/)
  assert.equal((await run('fernet_setup')).code, 0)
  assert.deepEqual(readdirSync(join(here.directory, 'keys')).sort(), ['0', '1'])
  assert.equal(statSync(join(here.directory, 'keys/1')).mode & 0o777, 0o600)
  assert.equal((await run('fernet_rotate')).code, 0)
  assert.ok(existsSync(join(here.directory, 'keys/2')))
  assert.equal((await run('fernet_setup --keystone-user nobody-has-this-name')).code, 1)
  const bootstrap =
    'bootstrap --bootstrap-password secret --bootstrap-public-url http://controller:5000/v3/ --bootstrap-region-id RegionOne'
  assert.deepEqual(await run(bootstrap), { code: 0, output: '' })
  assert.deepEqual(await run(bootstrap), { code: 0, output: '' })
  assert.equal((await run('bootstrap')).code, 1)
})

test('neutron-db-manage, glance-manage and placement-manage bring their databases up to date', async () => {
  using here = programsIn({
    'neutron.conf': '[database]\nconnection = sqlite:///HERE/neutron\n',
    'glance.conf': '[database]\nconnection = sqlite:///HERE/glance\n',
    'placement.conf': '[placement_database]\nconnection = sqlite:///HERE/placement\n',
  })
  const neutron = (line: string) => here.run(`neutron-db-manage ${line}`, 'neutron.conf')
  assert.equal((await neutron('current')).output, '  Running current for neutron ...\n  OK')
  const upgraded = await neutron('upgrade head')
  assert.equal(upgraded.code, 0)
  assert.match(upgraded.output, /Running upgrade -> 001-initial/)
  assert.doesNotMatch((await neutron('upgrade heads')).output, /->/)
  assert.match((await neutron('current')).output, / \(head\)\n {2}OK$/)
  assert.match((await neutron('history')).output, /<base> -> 001-initial/)
  assert.equal((await neutron('upgrade liberty')).code, 1)
  assert.deepEqual(await neutron('stamp 001-initial'), {
    code: 0,
    output: '  Running stamp for neutron ...\n  OK',
  })
  assert.match((await neutron('current')).output, /\n001-initial\n/)
  assert.equal((await neutron('stamp heads')).code, 0)
  assert.match((await neutron('current')).output, / \(head\)\n/)
  assert.doesNotMatch((await neutron('upgrade heads')).output, /->/)
  assert.match((await neutron('stamp liberty')).output, /There is no version liberty/)
  assert.equal((await neutron('stamp base')).code, 0)
  assert.equal((await neutron('current')).output, '  Running current for neutron ...\n  OK')
  const glance = (line: string) => here.run(`glance-manage ${line}`, 'glance.conf')
  assert.equal((await glance('db check')).code, 3)
  assert.deepEqual(await glance('db_sync'), { code: 0, output: 'Database is synced successfully.' })
  assert.match((await glance('db sync')).output, /up to date/)
  assert.equal((await glance('db check')).code, 0)
  const placement = (line: string) => here.run(`placement-manage ${line}`, 'placement.conf')
  assert.deepEqual(await placement('db version'), { code: 0, output: 'None' })
  assert.deepEqual(await placement('db sync'), { code: 0, output: '' })
  assert.match((await placement('db version')).output, /^001-/)
})

test('nova-manage sets up the cells that nova.conf names', async () => {
  using here = programsIn({
    'nova.conf':
      '[DEFAULT]\ntransport_url = rabbit://openstack:secret@controller\n[api_database]\nconnection = sqlite:///HERE/nova_api\n[database]\nconnection = sqlite:///HERE/nova\n',
  })
  const nova = (line: string) => here.run(`nova-manage ${line}`, 'nova.conf')
  for (const line of ['api_db sync', 'cell_v2 map_cell0', 'cell_v2 create_cell --name=cell1', 'db sync']) {
    assert.equal((await nova(line)).code, 0, line)
  }
  assert.match((await nova('cell_v2 list_cells')).output, /cell1 .*rabbit:\/\/openstack:\*{4}@controller/)
  assert.ok(existsSync(join(here.directory, 'nova_cell0')))
  const status = await here.run('nova-status upgrade check', 'nova.conf')
  assert.equal(status.code, 2)
  assert.match(status.output, /Check: Placement API +\|\n\| Result: Failure +\|\n\| Details: \[placement\]/)
})

test('a database that is not configured is told with section, key and files', async () => {
  using here = programsIn({ 'neutron.conf': '[DEFAULT]\nconnection = sqlite:///HERE/neutron\n' })
  const { code, output } = await here.run('neutron-db-manage upgrade head', 'neutron.conf')
  assert.equal(code, 1)
  assert.match(output, /neutron\.conf:2: .*connection/)
  assert.match(output, /There is no \[database\] connection in what was read \(.*neutron\.conf\)/)
})

test('a slip that stops neutron-server is told by neutron-db-manage, and does not stop it', async () => {
  using here = programsIn({
    'neutron.conf': '[DEFAULT]\nservice_plugins = router\n[database]\nconnection = sqlite:///HERE/neutron\n',
  })
  const { code, output } = await here.run('neutron-db-manage upgrade head', 'neutron.conf')
  assert.equal(code, 0)
  assert.match(output, /neutron\.conf:2: .*has no routers.*Running upgrade for neutron.*OK$/s)
})
