import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { isFault } from '#base/errors.ts'
import { parseUnitFile } from '../lab/systemctl/unit-file.ts'
import { cloudUnitText, targetText, unitText } from './units.ts'
import { writeUnits } from './write-units.ts'

test('a service runs as its own user, what works on the host as root, and neither takes guests along', () => {
  const api = parseUnitFile(unitText('nova-api', '/opt/kilonova'))
  assert.equal(api.last('Service', 'User'), 'nova')
  assert.equal(api.last('Service', 'ExecStart'), '/opt/kilonova/bin/nova-api')
  assert.equal(api.last('Service', 'LogsDirectory'), 'nova')
  const compute = parseUnitFile(unitText('nova-compute', '/opt/kilonova'))
  assert.equal(compute.last('Service', 'User'), undefined)
  assert.equal(compute.last('Service', 'KillMode'), 'process')
  assert.equal(compute.last('Service', 'ExecStart'), '/opt/kilonova/bin/nova-compute --log-dir /var/log/nova')
})

test('all that is enabled on a host starts and stops by one target; a cloud of one machine has one unit', () => {
  for (const program of ['nova-api', 'nova-compute', 'neutron-server'] as const) {
    const unit = parseUnitFile(unitText(program, '/opt/kilonova'))
    assert.deepEqual(unit.all('Install', 'WantedBy'), ['multi-user.target', 'kilonova.target'])
    assert.equal(unit.last('Unit', 'PartOf'), 'kilonova.target')
  }
  assert.equal(parseUnitFile(targetText()).last('Install', 'WantedBy'), 'multi-user.target')
  const cloud = parseUnitFile(cloudUnitText('/opt/kilonova', '/var/lib/kilonova'))
  assert.equal(cloud.last('Unit', 'ConditionPathExists'), '/var/lib/kilonova/cloud.json')
  assert.equal(
    cloud.last('Service', 'ExecStart'),
    '/opt/kilonova/kilonova serve --state-dir /var/lib/kilonova',
  )
  assert.equal(cloud.last('Service', 'KillMode'), 'process')
})

test('units have the names that guides start; a second writing changes nothing', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'units-'))
  t.mock.method(console, 'log', () => undefined)
  try {
    await writeUnits(['nova-api', 'neutron-server.service', 'openstack-keystone'], { directory })
    assert.deepEqual(readdirSync(directory).sort(), [
      'kilonova.target',
      'neutron-server.service',
      'openstack-keystone.service',
      'openstack-nova-api.service',
    ])
    const before = readFileSync(join(directory, 'neutron-server.service'), 'utf8')
    await writeUnits([], { directory })
    assert.equal(readFileSync(join(directory, 'neutron-server.service'), 'utf8'), before)
    assert.equal(readdirSync(directory).length, 13 + 2)
    await assert.rejects(writeUnits(['nova-novncproxy'], { directory }), (error) =>
      isFault(error, 'not-found'),
    )
  } finally {
    rmSync(directory, { recursive: true })
  }
})
