/** An Image service in a directory of its own, spoken to by people known by name. */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { InjectOptions } from 'fastify'
import { testDatabase } from '#testing/databases/test-database.ts'
import { peopleTokens } from '#testing/people.ts'
import { silentLogger } from '../base/log.ts'
import type { ImageSettings } from './config.ts'
import { type ImageService, startImage } from './service.ts'
import { migrations } from './store/migrations/list.ts'

export interface TestReply {
  status: number
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into whatever JSON it gets.
  body: any
  headers: Record<string, unknown>
  bytes: Buffer
}

export interface TestImage extends AsyncDisposable {
  service: ImageService
  directory: string
  call(
    who: string | undefined,
    method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    url: string,
    payload?: InjectOptions['payload'],
    headers?: Record<string, string>,
  ): Promise<TestReply>
  /** Creates an image, uploads the data when given, and returns its id. */
  image(who: string, body: Record<string, unknown>, data?: Buffer): Promise<string>
  /** Names of the files of the store. */
  files(): Promise<string[]>
}

export async function testImage(
  settings: Partial<ImageSettings> = {},
  directory?: string,
): Promise<TestImage> {
  const at = directory ?? (await mkdtemp(join(tmpdir(), 'kilonova-image-')))
  const database = directory === undefined ? await testDatabase(migrations) : undefined
  const service = await startImage({
    databaseUrl: database?.url ?? `sqlite:///${join(at, 'glance.sqlite')}`,
    imageDirectory: join(at, 'images'),
    stagingDirectory: join(at, 'staging'),
    tokens: peopleTokens,
    log: silentLogger,
    identityUri: 'http://controller:5000',
    settings,
  })
  const call: TestImage['call'] = async (who, method, url, payload, headers = {}) => {
    const options: InjectOptions = { method, url, headers: { accept: 'application/json', ...headers } }
    if (who !== undefined) options.headers = { ...options.headers, 'x-auth-token': who }
    if (payload !== undefined) options.payload = payload
    const reply = await service.app.inject(options)
    const isJson = /json/.test(String(reply.headers['content-type'])) && reply.payload !== ''
    return {
      status: reply.statusCode,
      body: isJson ? reply.json() : reply.payload,
      headers: reply.headers,
      bytes: reply.rawPayload,
    }
  }
  return {
    service,
    directory: at,
    call,
    async image(who, body, data) {
      const formats = { disk_format: 'raw', container_format: 'bare' }
      const created = await call(who, 'POST', '/v2/images', { ...formats, ...body })
      if (created.status !== 201) throw new Error(JSON.stringify(created.body))
      const { id } = created.body as { id: string }
      if (data !== undefined) {
        const { status, body: answer } = await call(who, 'PUT', `/v2/images/${id}/file`, data, bytes)
        if (status !== 204) throw new Error(JSON.stringify(answer))
      }
      return id
    },
    files: () => readdir(join(at, 'images')).catch(() => []),
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]()
      await database?.[Symbol.asyncDispose]()
      if (directory === undefined) await rm(at, { recursive: true, force: true })
    },
  }
}

export const bytes = { 'content-type': 'application/octet-stream' }
export const patch = { 'content-type': 'application/openstack-images-v2.1-json-patch' }

/** The header of a qcow2 image of that size; `more` changes bytes of it. */
export function qcow2(virtualSize: number, more: (header: Buffer) => void = () => undefined): Buffer {
  const header = Buffer.alloc(512)
  header.write('QFI\xfb', 'latin1')
  header.writeUInt32BE(3, 4)
  header.writeUInt32BE(16, 20)
  header.writeBigUInt64BE(BigInt(virtualSize), 24)
  header.writeUInt32BE(104, 100)
  more(header)
  return header
}
