/** The unmodified `openstack` client from the distribution against a cloud with real guests. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { cannotRunGuests, run, startRealCloud, until } from './cloud.ts'

const skip = cannotRunGuests()

type Row = Record<string, unknown>

async function haveClient(): Promise<void> {
  const found = await run('sh', ['-c', 'command -v openstack && python3 -c "import osc_placement"'])
  if (found.code === 0) return
  const packages = ['python3-openstackclient', 'python3-osc-placement']
  await run('apt-get', ['update', '-q'])
  const installed = await run('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...packages], {
    DEBIAN_FRONTEND: 'noninteractive',
  })
  assert.equal(installed.code, 0, installed.stderr)
}

test('the openstack client works as with OpenStack, from the catalog to a server and back', {
  skip,
}, async (t) => {
  await haveClient()
  await using cloud = await startRealCloud()
  const list = async (...args: string[]): Promise<Row[]> =>
    JSON.parse(await cloud.openstack(...args, '-f', 'json'))
  const show = async (...args: string[]): Promise<Row> =>
    JSON.parse(await cloud.openstack(...args, '-f', 'json'))

  await t.test('catalog, services and agents', async () => {
    const types = (await list('catalog', 'list')).map((row) => row['Type']).sort()
    assert.deepEqual(types, ['compute', 'identity', 'image', 'network', 'placement'])
    const services = await list('compute', 'service', 'list')
    for (const binary of ['nova-compute', 'nova-conductor', 'nova-scheduler']) {
      const row = services.find((one) => one['Binary'] === binary)
      assert.deepEqual([row?.['Status'], row?.['State']], ['enabled', 'up'], binary)
    }
    const agents = await list('network', 'agent', 'list')
    assert.deepEqual(agents.map((row) => row['Agent Type']).sort(), [
      'DHCP agent',
      'Linux bridge agent',
      'Metadata agent',
    ])
    assert.ok(agents.every((row) => row['Alive'] === true && row['State'] === true))
    const extensions = (await list('extension', 'list', '--network')).map((row) => row['Alias'])
    for (const alias of [
      'agent',
      'binding',
      'dhcp_agent_scheduler',
      'port-security',
      'provider',
      'quotas',
      'security-group',
    ]) {
      assert.ok(extensions.includes(alias), alias)
    }
  })

  await t.test('hypervisors and resource providers', async () => {
    const [hypervisor] = await list('hypervisor', 'list')
    assert.equal(hypervisor?.['State'], 'up')
    assert.ok(Number((await show('hypervisor', 'stats', 'show'))['count']) === 1)
    const [provider] = await list('resource', 'provider', 'list')
    assert.equal(provider?.['name'], hypervisor?.['Hypervisor Hostname'])
  })

  await t.test('images and flavors', async () => {
    assert.equal((await list('image', 'list'))[0]?.['Status'], 'active')
    assert.ok((await list('flavor', 'list')).some((row) => row['Name'] === 'm1.nano'))
  })

  await t.test('projects, users, roles, tokens and quotas', async () => {
    await cloud.openstack('project', 'create', 'e2e', '-f', 'json')
    await cloud.openstack(
      'user',
      'create',
      '--project',
      'e2e',
      '--password',
      'secret',
      'e2e-user',
      '-f',
      'json',
    )
    assert.equal(await cloud.openstack('role', 'add', '--project', 'e2e', '--user', 'e2e-user', 'member'), '')
    const assigned = await list('role', 'assignment', 'list', '--user', 'e2e-user', '--names')
    assert.equal(assigned[0]?.['Role'], 'member')
    assert.match(String((await show('token', 'issue'))['id']), /^\S{20,}$/)
    assert.ok(JSON.stringify(await list('quota', 'show')).includes('instances'))
    await cloud.openstack('user', 'delete', 'e2e-user')
    await cloud.openstack('project', 'delete', 'e2e')
  })

  await t.test('a server from create to delete', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'kilonova-key-'))
    t.after(() => rmSync(directory, { recursive: true, force: true }))
    await cloud.openstack('keypair', 'create', '--private-key', join(directory, 'key'), 'e2e-key')
    await cloud.openstack('security', 'group', 'create', 'e2e-group', '-f', 'json')
    const rule = ['security', 'group', 'rule', 'create', 'e2e-group']
    await cloud.openstack(...rule, '--protocol', 'icmp', '-f', 'json')
    await cloud.openstack(...rule, '--protocol', 'tcp', '--dst-port', '22', '-f', 'json')
    const [image] = await list('image', 'list')
    const created = await show(
      ...[
        'server',
        'create',
        '--image',
        String(image?.['ID']),
        '--flavor',
        'm1.nano',
        '--network',
        'provider',
      ],
      ...['--key-name', 'e2e-key', '--security-group', 'e2e-group', '--wait', 'e2e-server'],
    )
    assert.equal(created['status'], 'ACTIVE')
    const [listed] = await list('server', 'list', '--long')
    assert.deepEqual(
      [listed?.['Name'], listed?.['Status'], listed?.['Power State']],
      ['e2e-server', 'ACTIVE', 1],
    )
    await until('the console shows the guest', 60, async () =>
      (await cloud.openstack('console', 'log', 'show', 'e2e-server')).includes('KILONOVA-GUEST-READY'),
    )
    const statusOf = async () => (await show('server', 'show', 'e2e-server'))['status']
    await cloud.openstack('server', 'stop', 'e2e-server')
    await until('stopped', 60, async () => (await statusOf()) === 'SHUTOFF')
    await cloud.openstack('server', 'start', 'e2e-server')
    await until('started', 60, async () => (await statusOf()) === 'ACTIVE')
    await cloud.openstack('server', 'reboot', '--hard', '--wait', 'e2e-server')
    const actions = (await list('server', 'event', 'list', 'e2e-server')).map((row) => row['Action'])
    assert.deepEqual(actions.sort(), ['create', 'reboot', 'start', 'stop'])
    await cloud.openstack('server', 'delete', '--wait', 'e2e-server')
    assert.deepEqual(await list('server', 'list'), [])
    await cloud.openstack('security', 'group', 'delete', 'e2e-group')
    await cloud.openstack('keypair', 'delete', 'e2e-key')
  })
})
