import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeHost } from '../../../linux/fake/fake-host.ts'
import { simulatedDaemons } from '../dhcp/daemons.ts'
import { purgeHost } from '../purge-host.ts'
import { chooseProviderCidr, createProviderNetwork } from './provider-network.ts'

test('the provider network gives the host an address on it and translates the rest, once', async () => {
  const host = new FakeHost()
  const provider = await createProviderNetwork(host, 'default', '172.24.4.0/24')
  assert.deepEqual(provider, {
    cidr: '172.24.4.0/24',
    gatewayIp: '172.24.4.1',
    interfaceName: 'kn-provider-net',
  })
  assert.deepEqual((await host.links()).get('kn-provider')?.addresses, ['172.24.4.1/24'])
  assert.equal(host.sysctls.get('net.ipv4.ip_forward'), '1')
  const before = host.changes
  await createProviderNetwork(host, 'default', '172.24.4.0/24')
  assert.equal(host.changes, before)
})

test('a network that overlaps with an address or a route of the host is refused, and another is chosen', async () => {
  const host = new FakeHost()
  host.addPhysical('eth0', ['172.24.4.77/22', '2001:db8::1/64'])
  await assert.rejects(
    createProviderNetwork(host, 'default', '172.24.4.0/24'),
    /overlaps with this host: eth0 has the address 172\.24\.4\.77\/22/,
  )
  await host.changeLinks([{ do: 'add-route', name: 'eth0', destination: '172.24.8.0/24' }])
  assert.equal(await chooseProviderCidr(host, 'default'), '172.24.9.0/24')
})

test('two clouds on one host have provider networks of their own, and a purge removes only one', async () => {
  const host = new FakeHost()
  const first = await createProviderNetwork(host, 'default', await chooseProviderCidr(host, 'default'))
  const second = await createProviderNetwork(host, 'other', await chooseProviderCidr(host, 'other'))
  assert.equal(first.cidr, '172.24.4.0/24')
  assert.equal(second.cidr, '172.24.5.0/24')
  assert.equal(await chooseProviderCidr(host, 'other'), '172.24.5.0/24')
  await purgeHost({ host, daemons: simulatedDaemons(), cloudId: 'default' })
  assert.deepEqual(
    [...(await host.links()).values()].map((link) => link.alias),
    ['kilonova:other', 'kilonova:other'],
  )
  await purgeHost({ host, daemons: simulatedDaemons(), cloudId: 'other' })
  assert.equal((await host.links()).size, 0)
  assert.deepEqual([...((await host.rules('ipv4')).get('nat')?.values() ?? [])].flat(), [])
})
