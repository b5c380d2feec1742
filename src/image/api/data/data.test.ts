import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { bytes, qcow2, testImage } from '../../testing.ts'

const hash = (algorithm: string, data: Buffer) => createHash(algorithm).update(data).digest('hex')

test('uploaded data are hashed, kept and given back, whole or in part', async () => {
  await using world = await testImage()
  const data = Buffer.from('0123456789')
  const id = await world.image('alice', {})
  const url = `/v2/images/${id}/file`
  assert.equal((await world.call('alice', 'GET', url)).status, 204)
  assert.equal((await world.call('alice', 'PUT', url, data, bytes)).status, 204)
  const { body } = await world.call('alice', 'GET', `/v2/images/${id}`)
  assert.deepEqual(
    [body.status, body.size, body.virtual_size, body.checksum, body.os_hash_algo, body.os_hash_value],
    ['active', 10, 10, hash('md5', data), 'sha512', hash('sha512', data)],
  )
  const whole = await world.call('alice', 'GET', url)
  assert.deepEqual([whole.status, whole.bytes, whole.headers['content-md5']], [200, data, hash('md5', data)])
  const ranges: [header: string, status: number, found: string][] = [
    ['bytes=2-4', 206, '234'],
    ['bytes=7-', 206, '789'],
    ['bytes=-2', 206, '89'],
    ['bytes=0-99', 206, '0123456789'],
  ]
  for (const [range, status, found] of ranges) {
    const part = await world.call('alice', 'GET', url, undefined, { range })
    assert.deepEqual([part.status, part.bytes.toString()], [status, found], range)
  }
  const beyond = await world.call('alice', 'GET', url, undefined, { range: 'bytes=10-' })
  assert.deepEqual([beyond.status, beyond.headers['content-range']], [416, 'bytes */10'])
  assert.equal((await world.call('alice', 'PUT', url, data, bytes)).status, 409)
  await world.call('alice', 'DELETE', `/v2/images/${id}`)
  assert.deepEqual(await world.files(), [])
})

test('a deactivated image is not downloaded but by an admin, until it is active again', async () => {
  await using world = await testImage()
  const id = await world.image('alice', {}, Buffer.from('x'))
  const url = `/v2/images/${id}`
  assert.equal((await world.call('alice', 'POST', `${url}/actions/deactivate`)).status, 204)
  assert.equal((await world.call('alice', 'GET', url)).body.status, 'deactivated')
  assert.equal((await world.call('alice', 'GET', `${url}/file`)).status, 403)
  assert.equal((await world.call('admin', 'GET', `${url}/file`)).status, 200)
  assert.equal((await world.call('alice', 'POST', `${url}/actions/reactivate`)).status, 204)
  assert.equal((await world.call('alice', 'GET', `${url}/file`)).status, 200)
  const queued = await world.image('alice', {})
  assert.equal((await world.call('alice', 'POST', `/v2/images/${queued}/actions/deactivate`)).status, 400)
})

test('data that are not what the image says, or that would read files of the host, are refused', async () => {
  await using world = await testImage({ imageSizeCap: 100_000 })
  const good = qcow2(5_000_000)
  const id = await world.image('alice', { disk_format: 'qcow2' }, good)
  assert.equal((await world.call('alice', 'GET', `/v2/images/${id}`)).body.virtual_size, 5_000_000)
  const refused: [format: string, data: Buffer, status: number][] = [
    ['qcow2', Buffer.from('not a qcow2'), 415],
    ['qcow2', qcow2(1, (header) => header.writeBigUInt64BE(112n, 8)), 415],
    ['qcow2', qcow2(1, (header) => header.writeBigUInt64BE(4n, 72)), 415],
    ['qcow2', qcow2(1, (header) => header.writeBigUInt64BE(1n << 40n, 72)), 415],
    ['qcow2', good.subarray(0, 40), 415],
    ['raw', good, 415],
    ['vmdk', good, 415],
    ['raw', Buffer.alloc(100_001), 413],
  ]
  for (const [disk_format, data, status] of refused) {
    const bad = await world.image('alice', { disk_format })
    const url = `/v2/images/${bad}`
    assert.equal((await world.call('alice', 'PUT', `${url}/file`, data, bytes)).status, status)
    const { body } = await world.call('alice', 'GET', url)
    assert.deepEqual([body.status, body.size], ['queued', null])
  }
  assert.deepEqual(await world.files(), [id])
  const without = await world.image('alice', { disk_format: null })
  assert.equal((await world.call('alice', 'PUT', `/v2/images/${without}/file`, 'x', bytes)).status, 400)
  const typed = { 'content-type': 'text/plain' }
  assert.equal((await world.call('alice', 'PUT', `/v2/images/${without}/file`, 'x', typed)).status, 415)
})

test('an upload whose client goes away leaves nothing, and can be made again', async () => {
  await using world = await testImage()
  const id = await world.image('alice', {})
  const address = await world.service.app.listen({ port: 0, host: '127.0.0.1' })
  const upload = request(`${address}/v2/images/${id}/file`, {
    method: 'PUT',
    headers: { ...bytes, 'x-auth-token': 'alice', 'content-length': '1000' },
  })
  upload.on('error', () => undefined)
  upload.write(Buffer.alloc(500))
  const status = async () => (await world.call('alice', 'GET', `/v2/images/${id}`)).body.status
  while ((await status()) !== 'saving') await setTimeout(5)
  const closed = new Promise((resolve) => upload.on('close', resolve))
  upload.destroy()
  await closed
  while ((await status()) !== 'queued') await setTimeout(5)
  assert.deepEqual(await world.files(), [])
  assert.equal((await world.call('alice', 'PUT', `/v2/images/${id}/file`, 'again', bytes)).status, 204)
})

test('what a killed process left half-way is settled at the next start', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'kilonova-image-'))
  try {
    const ids: string[] = []
    {
      await using world = await testImage({}, directory)
      ids.push(await world.image('alice', {}), await world.image('alice', {}, Buffer.from('kept')))
      await world.service.db
        .updateTable('images')
        .set({ status: 'saving' })
        .where('id', '=', ids[0]!)
        .execute()
      await writeFile(join(directory, 'images', `${ids[0]}.${'0'.repeat(32)}.part`), 'half')
      await writeFile(join(directory, 'images', '11111111-1111-1111-1111-111111111111'), 'of nobody')
    }
    await using world = await testImage({}, directory)
    assert.equal((await world.call('alice', 'GET', `/v2/images/${ids[0]}`)).body.status, 'queued')
    assert.equal((await world.call('alice', 'GET', `/v2/images/${ids[1]}/file`)).bytes.toString(), 'kept')
    assert.deepEqual(await world.files(), [ids[1]])
  } finally {
    await rm(directory, { recursive: true })
  }
})
