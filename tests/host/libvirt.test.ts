/** The libvirt driver with real guests. */
import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { sleep } from '#base/clock.ts'
import { isFault } from '#base/errors.ts'
import { LibvirtWorld, whyNot } from './libvirt-world.ts'

const skip = (await whyNot()) ?? false

const configDrive = {
  'openstack/latest/meta_data.json': JSON.stringify({
    uuid: 'uuid-by-config-drive',
    hostname: 'from-drive.novalocal',
    public_keys: { key: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFake me\n' },
    admin_pass: 'secret',
  }),
  'openstack/latest/user_data': '#!/bin/sh\necho "user data saw $(hostname)"\n',
}

test('guests live through everything that is asked of them', { skip }, async (t) => {
  await using world = await LibvirtWorld.start()
  const { driver } = world
  const one = world.spec(1, { configDrive, ephemeralGb: 1, swapMb: 16 })
  const two = world.spec(2)

  await t.test('a guest that is spawned paused has its tap but does not run', async () => {
    await Promise.all([
      driver.spawn(one, world.images, { paused: true }),
      driver.spawn(two, world.images, { paused: false }),
    ])
    assert.equal((await driver.guestState(one.uuid))?.power, 'paused')
    assert.deepEqual((await world.taps()).sort(), [one.vifs[0]?.devName, two.vifs[0]?.devName])
    await driver.resume(one.uuid)
    await driver.resume(one.uuid)
    assert.equal((await driver.guestState(one.uuid))?.power, 'running')
  })

  await t.test('it takes its identity from a config drive, and runs the user data', async () => {
    const text = await world.console(one.uuid, /KILONOVA-GUEST-READY.*/)
    assert.match(text, /user data saw from-drive/)
    assert.match(
      text,
      /READY ip=10\.254\.87\.\d+ instance-id=uuid-by-config-drive .*metadata=config-drive user-data=exit-0/,
    )
  })

  await t.test(
    'another takes it from the metadata service, which it reaches by a classless route',
    async () => {
      const text = await world.console(two.uuid, /KILONOVA-GUEST-READY.*/)
      assert.match(text, /hostname=over-http metadata=http user-data=exit-0/)
      assert.match(text, /EC2 instance id i-0000002a/)
      assert.match(text, /routes: .*169\.254\.169\.254 via 10\.254\.87\.2/)
    },
  )

  await t.test('it is paused, suspended to disk and goes on', async () => {
    await driver.pause(two.uuid)
    assert.equal((await driver.guestState(two.uuid))?.power, 'paused')
    await driver.unpause(two.uuid)
    await driver.suspend(two.uuid)
    assert.equal((await driver.guestState(two.uuid))?.power, 'suspended')
    assert.deepEqual(await world.taps(), [one.vifs[0]?.devName])
    await driver.resumeSuspended(two)
    assert.equal((await driver.guestState(two.uuid))?.power, 'running')
  })

  await t.test(
    'libvirtd may be killed and started again: guests are not touched, the driver finds both',
    async () => {
      const before = await Promise.all([one, two].map(({ name }) => world.guestPid(name)))
      await world.kill('libvirtd')
      const waiting = driver.listGuests()
      // Only a rejection that nobody sees yet; it is awaited below.
      waiting.catch(() => undefined)
      await world.startLibvirtd()
      const guests = await retryOnce(waiting, () => driver.listGuests())
      assert.deepEqual(
        guests.map(({ power }) => power),
        ['running', 'running'],
      )
      const after = await Promise.all([one, two].map(({ name }) => world.guestPid(name)))
      assert.deepEqual(after, before)
    },
  )

  await t.test(
    'a start of libvirtd brings back the console log daemon too, when only that one died',
    async () => {
      await world.kill('virtlogd')
      await world.startLibvirtd()
      assert.equal((await driver.listGuests()).length, 2)
    },
  )

  await t.test('a hard reboot starts it from the same disk', async () => {
    await driver.reboot(one, { hard: true, timeoutSeconds: 0 })
    await world.console(one.uuid, /KILONOVA-GUEST-READY.*user-data=done-before/)
  })

  await t.test('the power button is obeyed, and told as an event after libvirtd came back', async () => {
    world.events.length = 0
    await driver.powerOff(one.uuid, { timeoutSeconds: 60 })
    assert.match(await driver.consoleOutput(one.uuid), /kilonova-guest: shutting down/)
    assert.equal((await driver.guestState(one.uuid))?.power, 'shutdown')
    while (!world.events.some((event) => event.uuid === one.uuid && event.power === 'shutdown'))
      await sleep(20)
    await driver.powerOn(one)
    assert.equal((await driver.guestState(one.uuid))?.power, 'running')
  })

  await t.test('a spawn that fails leaves nothing', async () => {
    const three = world.spec(3, { name: two.name })
    await assert.rejects(driver.spawn(three, world.images, { paused: false }), (error) => isFault(error))
    assert.equal(await driver.guestState(three.uuid), undefined)
    assert.ok(!(await readdir(join(world.stateDir, 'instances'))).includes(three.uuid))
    assert.equal((await driver.listGuests()).length, 2)
  })

  await t.test('a spawn that is repeated replaces what the first one left', async () => {
    const before = await world.guestPid(two.name)
    await driver.spawn(two, world.images, { paused: true })
    assert.notEqual(await world.guestPid(two.name), before)
  })

  await t.test('destroyed guests leave nothing, and destroying them again is no error', async () => {
    for (const { uuid } of [one, two, one]) await driver.destroy(uuid)
    assert.deepEqual(await driver.listGuests(), [])
    assert.deepEqual(await world.taps(), [])
    assert.deepEqual(await readdir(join(world.stateDir, 'instances')), ['_base'])
    assert.deepEqual(await readdir(join(world.stateDir, 'libvirt/lib/qemu/save')), [])
  })
})

/** A call under way when libvirtd died fails by design; the next one waits for its return. */
async function retryOnce<T>(first: Promise<T>, again: () => Promise<T>): Promise<T> {
  try {
    return await first
  } catch (error) {
    if (!isFault(error, 'unavailable')) throw error
    return again()
  }
}
