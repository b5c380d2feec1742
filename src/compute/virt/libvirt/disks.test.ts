import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Fault } from '../../../base/errors.ts'
import type { Run } from '../../../linux/run.ts'
import type { GuestSpec, ImageSource } from '../driver.ts'
import { BaseCache } from './base-cache.ts'
import { createDisks, removeDisks } from './disks.ts'
import { guestSpec } from './guest-spec.fixture.ts'
import { instanceFiles } from './instance-files.ts'
import { writeOverlay } from './qcow2.ts'

const noCommands: Run = (command) => Promise.reject(new Fault('bug', `${command} was run`))

interface Host extends AsyncDisposable {
  instances: string
  downloads: () => number
  create: (spec: GuestSpec) => Promise<void>
}

/** A host whose Image service gives this disk of a gibibyte, or what `download` writes. */
async function startHost(download?: ImageSource['download']): Promise<Host> {
  const instances = await mkdtemp(join(tmpdir(), 'instances-'))
  const cache = new BaseCache(instances, noCommands)
  let downloads = 0
  const images: ImageSource = {
    download(id, path) {
      downloads++
      return download === undefined ? writeOverlay(path, { virtualSize: 1024 ** 3 }) : download(id, path)
    },
  }
  return {
    instances,
    downloads: () => downloads,
    create: (spec) =>
      createDisks({ cache, run: noCommands }, spec, instanceFiles(instances, spec.uuid), images),
    [Symbol.asyncDispose]: () => rm(instances, { recursive: true }),
  }
}

test('guests that start at the same time share one download', async () => {
  await using host = await startHost()
  await Promise.all(['a', 'b', 'c', 'd'].map((uuid) => host.create(guestSpec({ uuid }))))
  await host.create(guestSpec({ uuid: 'e' }))
  assert.equal(host.downloads(), 1)
  assert.deepEqual(await readdir(join(host.instances, 'a')), ['disk'])
})

test('a download that fails leaves nothing, and the next guest tries again', async () => {
  let broken = true
  await using host = await startHost(async (_id, path) => {
    if (!broken) return writeOverlay(path, { virtualSize: 1024 ** 3 })
    await writeFile(path, 'half of it')
    throw new Fault('unavailable', 'the Image service is away')
  })
  await assert.rejects(host.create(guestSpec()), /is away/)
  assert.deepEqual(await readdir(join(host.instances, '_base')), [])
  broken = false
  await removeDisks(instanceFiles(host.instances, guestSpec().uuid))
  await host.create(guestSpec())
  assert.equal((await readdir(join(host.instances, '_base'))).length, 1)
})

test('an image that refers to another file never becomes a base', async () => {
  await using host = await startHost((_id, path) =>
    writeOverlay(path, { virtualSize: 1024 ** 3, backing: { path: '/etc/shadow', format: 'raw' } }),
  )
  await assert.rejects(host.create(guestSpec()), /backing file/)
  assert.deepEqual(await readdir(join(host.instances, '_base')), [])
})

test('an image that is larger than the flavor is refused in words that name both', async () => {
  await using host = await startHost((_id, path) => writeOverlay(path, { virtualSize: 2 * 1024 ** 3 }))
  await assert.rejects(host.create(guestSpec()), /disk is 1073741824 bytes, image is 2147483648 bytes/)
})

test('a disk format that would need a conversion is refused with the way out', async () => {
  await using host = await startHost()
  const image = { id: 'i', diskFormat: 'vmdk', properties: {} }
  await assert.rejects(host.create(guestSpec({ image })), /qemu-img convert/)
})

test('a config drive cannot write outside of itself', async () => {
  await using host = await startHost()
  await assert.rejects(
    host.create(guestSpec({ configDrive: { '../../escape': '' } })),
    /cannot hold the path/,
  )
})
