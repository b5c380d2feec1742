import assert from 'node:assert/strict'
import { test } from 'node:test'
import { XMLParser } from 'fast-xml-parser'
import type { GuestSpec } from '../driver.ts'
import { guestDisks } from './disks.ts'
import { domainXml } from './domain-xml.ts'
import { guestSpec } from './guest-spec.fixture.ts'
import { instanceFiles } from './instance-files.ts'

const parser = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: '@' })

function domainOf(spec: GuestSpec, virtType: 'kvm' | 'qemu' = 'qemu') {
  const files = instanceFiles('/instances', spec.uuid)
  const options = { virtType, arch: 'x86_64', machine: 'pc', vncListen: undefined, fewerCpuQueries: false }
  return parser.parse(domainXml(spec, guestDisks(spec, files), files, options)).domain
}

const vif = {
  portId: '77ab9d4e-6d77-4a8c-8f63-0d0e3b5c9c11',
  networkId: '1a2b3c4d-0000-4000-8000-000000000001',
  macAddress: 'fa:16:3e:11:22:33',
  mtu: 1450,
  type: 'bridge',
  bridgeName: 'brq1a2b3c4d-00',
  devName: 'tap77ab9d4e-6d',
} as const

test("a user's text cannot become part of the document", () => {
  const name = '</nova:name><evil/>\u0001'
  const metadata = domainOf(guestSpec({ displayName: name })).metadata['nova:instance']
  assert.equal(metadata['nova:name'], '</nova:name><evil/>')
  assert.equal(metadata['evil'], undefined)
})

test('a port becomes a tap of that name in the bridge of its network, with its MAC and MTU', () => {
  const found = domainOf(guestSpec({ vifs: [vif] })).devices.interface
  assert.equal(found.mac['@address'], vif.macAddress)
  assert.equal(found.source['@bridge'], vif.bridgeName)
  assert.equal(found.target['@dev'], vif.devName)
  assert.equal(found.mtu['@size'], '1450')
})

test('the disks come in the order root, ephemeral, swap, config drive; only the last is read-only', () => {
  const disks = domainOf(guestSpec({ ephemeralGb: 1, swapMb: 64, configDrive: { a: 'b' } })).devices.disk
  const summary = disks.map((disk: Record<string, Record<string, string>>) => [
    disk['target']?.['@dev'],
    disk['source']?.['@file']?.split('/').at(-1),
    'readonly' in disk,
  ])
  assert.deepEqual(summary, [
    ['vda', 'disk', false],
    ['vdb', 'disk.eph0', false],
    ['vdc', 'disk.swap', false],
    ['vdd', 'disk.config', true],
  ])
})

test('the image chooses its devices, among those that exist', () => {
  const image = (properties: Record<string, string>) => ({ id: 'i', diskFormat: 'raw', properties })
  const devices = domainOf(guestSpec({ image: image({ hw_disk_bus: 'ide', hw_machine_type: 'q35' }) }))
  assert.equal(devices.devices.disk.target['@dev'], 'hda')
  assert.equal(devices.os.type['@machine'], 'q35')
  assert.throws(
    () => domainOf(guestSpec({ image: image({ hw_disk_bus: 'mfm' }) })),
    /virtio, sata, scsi, ide, usb/,
  )
})

test('vCPUs are sockets unless flavor or image say otherwise', () => {
  const topology = (extraSpecs: Record<string, string>) =>
    domainOf(guestSpec({ vcpus: 4, extraSpecs })).cpu.topology
  assert.deepEqual(topology({}), { '@sockets': '4', '@cores': '1', '@threads': '1' })
  assert.deepEqual(topology({ 'hw:cpu_cores': '2' }), { '@sockets': '2', '@cores': '2', '@threads': '1' })
  assert.deepEqual(topology({ 'hw:cpu_sockets': '1' }), { '@sockets': '1', '@cores': '4', '@threads': '1' })
  assert.throws(() => topology({ 'hw:cpu_cores': '3' }), /cannot be/)
})

test('only a guest on the processor itself gets the model of the host', () => {
  assert.equal(domainOf(guestSpec(), 'kvm').cpu['@mode'], 'host-model')
  assert.equal(domainOf(guestSpec(), 'qemu').cpu['@mode'], undefined)
})
