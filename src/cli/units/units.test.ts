import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { isFault } from '#base/errors.ts'
import { parseUnitFile } from '../lab/systemctl/unit-file.ts'
import { sudoersText, whyNotAsRoot } from './sudoers.ts'
import { cloudUnitText, targetText, unitText } from './units.ts'
import { writeUnits } from './write-units.ts'

const home = join(import.meta.dirname, '../../..')

test('a service runs as its own user, also what works on the host, and none takes guests along', () => {
  const api = parseUnitFile(unitText('nova-api', '/opt/kilonova'))
  assert.equal(api.last('Service', 'User'), 'nova')
  assert.equal(api.last('Service', 'ExecStart'), '/opt/kilonova/bin/nova-api')
  assert.equal(api.last('Service', 'LogsDirectory'), 'nova')
  const compute = parseUnitFile(unitText('nova-compute', '/opt/kilonova'))
  assert.equal(compute.last('Service', 'User'), 'nova')
  assert.equal(compute.last('Service', 'SupplementaryGroups'), 'libvirt kvm')
  assert.equal(compute.last('Service', 'KillMode'), 'process')
  assert.equal(compute.last('Service', 'ExecStart'), '/opt/kilonova/bin/nova-compute')
  const bare = parseUnitFile(unitText('nova-compute', '/opt/kilonova', []))
  assert.equal(bare.last('Service', 'SupplementaryGroups'), undefined)
})

test('a network agent runs as neutron, whose only way to root is its helper', () => {
  for (const program of ['neutron-linuxbridge-agent', 'neutron-dhcp-agent'] as const) {
    const agent = parseUnitFile(unitText(program, '/opt/kilonova'))
    assert.equal(agent.last('Service', 'User'), 'neutron')
    assert.equal(agent.last('Service', 'StateDirectory'), 'neutron')
    assert.equal(agent.last('Service', 'NoNewPrivileges'), undefined)
    assert.equal(agent.last('Service', 'PrivateTmp'), undefined)
    assert.equal(agent.last('Service', 'KillMode'), 'process')
  }
  // It only passes on what guests ask.
  const metadata = parseUnitFile(unitText('neutron-metadata-agent', '/opt/kilonova'))
  assert.equal(metadata.last('Service', 'User'), 'neutron')
  assert.equal(metadata.last('Service', 'NoNewPrivileges'), 'yes')
  assert.deepEqual(sudoersText('/opt/kilonova', ['neutron']).split('\n').slice(1), [
    'neutron ALL = (root) NOPASSWD: /opt/kilonova/bin/kilonova-rootwrap neutron',
    '',
  ])
})

test('sudo is not told to run what somebody else than root can change', {
  skip: process.getuid?.() !== 0 && 'needs root',
}, () => {
  const home = mkdtempSync(join(tmpdir(), 'home-'))
  try {
    chmodSync(home, 0o755)
    mkdirSync(join(home, 'bin'))
    writeFileSync(join(home, 'bin/kilonova-rootwrap'), '')
    assert.equal(whyNotAsRoot(home), undefined)
    chmodSync(join(home, 'bin'), 0o775)
    assert.match(whyNotAsRoot(home) ?? '', /bin can be written by others/)
    chmodSync(join(home, 'bin'), 0o755)
    chownSync(join(home, 'bin/kilonova-rootwrap'), 65534, 0)
    assert.match(whyNotAsRoot(home) ?? '', /kilonova-rootwrap belongs to another user/)
    assert.match(whyNotAsRoot('/opt/a, b') ?? '', /sudoers/)
  } finally {
    rmSync(home, { recursive: true })
  }
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
  const sudoers = join(directory, 'sudoers/kilonova')
  const options = { directory: join(directory, 'system'), sudoers }
  t.mock.method(console, 'log', () => undefined)
  try {
    await writeUnits(['nova-api', 'neutron-server.service', 'openstack-keystone'], options)
    assert.equal(existsSync(sudoers), false)
    assert.deepEqual(readdirSync(options.directory).sort(), [
      'kilonova.target',
      'neutron-server.service',
      'openstack-keystone.service',
      'openstack-nova-api.service',
    ])
    const before = readFileSync(join(options.directory, 'neutron-server.service'), 'utf8')
    await writeUnits([], options)
    assert.equal(readFileSync(join(options.directory, 'neutron-server.service'), 'utf8'), before)
    assert.equal(readdirSync(options.directory).length, 13 + 2)
    if (whyNotAsRoot(home) === undefined) assert.equal(statSync(sudoers).mode & 0o777, 0o440)
    await assert.rejects(writeUnits(['nova-novncproxy'], options), (error) => isFault(error, 'not-found'))
  } finally {
    rmSync(directory, { recursive: true })
  }
})
