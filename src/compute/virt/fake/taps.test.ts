import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { FakeHost } from '../../../linux/fake/fake-host.ts'
import type { GuestSpec } from '../driver.ts'
import { FakeDriver } from './driver.ts'

const spec: GuestSpec = {
  uuid: 'u1',
  name: 'instance-00000001',
  displayName: 'one',
  projectId: 'p',
  userId: 'u',
  vcpus: 1,
  memoryMb: 64,
  rootGb: 1,
  ephemeralGb: 0,
  swapMb: 0,
  flavorName: 'm1.tiny',
  extraSpecs: {},
  image: null,
  vifs: [
    {
      portId: 'port',
      networkId: 'network',
      macAddress: 'fa:16:3e:00:00:01',
      mtu: 1500,
      type: 'bridge',
      bridgeName: 'brqnetwork',
      devName: 'tapport',
    },
  ],
  configDrive: null,
}
const images = { download: async () => undefined }

test('a simulated guest has its taps while it is on, also after a restart of everything', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'kilonova-fake-'))
  try {
    const first = new FakeHost()
    await using driver = new FakeDriver({ host: 'h1', directory, taps: first })
    await driver.start(() => undefined)
    await driver.spawn(spec, images, { paused: true })
    assert.equal((await first.links()).get('tapport')?.master, 'brqnetwork')
    await driver.powerOff('u1')
    assert.equal((await first.links()).has('tapport'), false)
    await driver.powerOn(spec)

    const second = new FakeHost()
    await using restarted = new FakeDriver({ host: 'h1', directory, taps: second })
    await restarted.start(() => undefined)
    assert.equal((await second.links()).get('tapport')?.master, 'brqnetwork')
    await restarted.destroy('u1')
    assert.equal((await second.links()).has('tapport'), false)
  } finally {
    rmSync(directory, { recursive: true })
  }
})
