/** Image's REST API as the other services use it. Nothing else of `image/` may be imported by them. */
import type { Readable } from 'node:stream'
import { Fault, type FaultKind } from '../base/errors.ts'
import type { HttpCall, HttpReply, Send } from '../base/http/client.ts'

export interface ImageInfo {
  id: string
  name: string | null
  status: string
  visibility: string
  owner: string | null
  diskFormat: string | null
  containerFormat: string | null
  size: number | null
  virtualSize: number | null
  /** GiB and MiB a server made of it needs. */
  minDisk: number
  minRam: number
  checksum: string | null
  osHashAlgo: string | null
  osHashValue: string | null
  tags: readonly string[]
  createdAt: string
  updatedAt: string
  /** Custom properties: `hw_disk_bus`, `os_distro`, … */
  properties: Readonly<Record<string, string>>
}

export interface NewImage {
  name: string
  diskFormat: string
  containerFormat?: string
  visibility?: string
  minDisk?: number
  minRam?: number
  tags?: readonly string[]
  properties?: Readonly<Record<string, string>>
}

export interface ImageDownload {
  stream: Readable
  size: number
  /** What the bytes must hash to; null for images whose hash is not known. */
  hash: { algorithm: string; value: string } | null
}

export type ImageClient = ReturnType<typeof imageClient>

type Wire = Record<string, unknown>

/** The client of one caller: `token` gives a service's token, or returns the user's own. */
export function imageClient(send: Send, token: () => Promise<string>) {
  async function call(request: HttpCall): Promise<HttpReply> {
    const headers = { accept: 'application/json', ...request.headers, 'x-auth-token': await token() }
    const reply = await send({ ...request, headers })
    if (reply.status >= 300) throw await describeReply(reply, request)
    return reply
  }
  const path = (id: string): string => `/v2/images/${encodeURIComponent(id)}`

  return {
    /** The image; a Fault `not-found` when the token's project cannot see it. */
    async show(id: string): Promise<ImageInfo> {
      return readImage((await call({ method: 'GET', path: path(id) })).body as Wire)
    },

    /** Every image that fits the filters (`{ name: 'cirros' }`), over all pages. */
    async list(filters: Readonly<Record<string, string>> = {}): Promise<ImageInfo[]> {
      const found: ImageInfo[] = []
      let next: string | undefined = `/v2/images?${new URLSearchParams({ limit: '1000', ...filters })}`
      while (next !== undefined) {
        const body = (await call({ method: 'GET', path: next })).body as Wire
        found.push(...(body['images'] as Wire[]).map(readImage))
        next = body['next'] as string | undefined
      }
      return found
    },

    /** The data as a stream, with what they must hash to. */
    async download(id: string): Promise<ImageDownload> {
      const image = readImage((await call({ method: 'GET', path: path(id) })).body as Wire)
      const reply = await call({ method: 'GET', path: `${path(id)}/file`, stream: true })
      if (reply.stream === undefined || reply.status === 204)
        throw new Fault('conflict', `Image ${id} has no data: its status is ${image.status}.`, { id })
      const { osHashAlgo: algorithm, osHashValue: value } = image
      return {
        stream: reply.stream,
        size: image.size ?? 0,
        hash: algorithm === null || value === null ? null : { algorithm, value },
      }
    },

    /** Registers an image; `upload` brings its data. */
    async create(image: NewImage): Promise<ImageInfo> {
      const body = {
        ...image.properties,
        name: image.name,
        disk_format: image.diskFormat,
        container_format: image.containerFormat ?? 'bare',
        visibility: image.visibility ?? 'shared',
        min_disk: image.minDisk ?? 0,
        min_ram: image.minRam ?? 0,
        tags: image.tags ?? [],
      }
      return readImage((await call({ method: 'POST', path: '/v2/images', body })).body as Wire)
    },

    async upload(id: string, data: Readable): Promise<void> {
      const headers = { 'content-type': 'application/octet-stream' }
      await call({ method: 'PUT', path: `${path(id)}/file`, headers, body: data })
    },

    /** Makes these the image's custom properties; what it has of others goes. */
    async setProperties(change: {
      image: ImageInfo
      properties: Readonly<Record<string, string>>
    }): Promise<void> {
      const { image, properties } = change
      const body = jsonPatch(image.properties, properties)
      if (body.length === 0) return
      const headers = { 'content-type': 'application/openstack-images-v2.1-json-patch' }
      await call({ method: 'PATCH', path: path(image.id), headers, body })
    },

    async delete(id: string): Promise<void> {
      await call({ method: 'DELETE', path: path(id) })
    },
  }
}

type Properties = Readonly<Record<string, string>>

/** The steps from one set of properties to another, as RFC 6902 has them. */
function jsonPatch(before: Properties, after: Properties): Wire[] {
  const pointer = (name: string): string => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
  const gone = Object.keys(before).filter((name) => !Object.hasOwn(after, name))
  const changed = Object.entries(after).filter(([name, value]) => before[name] !== value)
  return [
    ...gone.map((name) => ({ op: 'remove', path: pointer(name) })),
    ...changed.map(([name, value]) => ({ op: 'add', path: pointer(name), value })),
  ]
}

const known = new Set(
  (
    'id name status visibility owner disk_format container_format size virtual_size min_disk min_ram checksum ' +
    'os_hash_algo os_hash_value tags created_at updated_at self file schema protected os_hidden stores direct_url locations'
  ).split(' '),
)

function readImage(wire: Wire): ImageInfo {
  const text = (name: string): string | null => (wire[name] ?? null) as string | null
  const number = (name: string): number | null => (wire[name] ?? null) as number | null
  const custom = Object.entries(wire).filter(([name, value]) => !known.has(name) && value !== null)
  return {
    id: String(wire['id']),
    name: text('name'),
    status: String(wire['status']),
    visibility: String(wire['visibility']),
    owner: text('owner'),
    diskFormat: text('disk_format'),
    containerFormat: text('container_format'),
    size: number('size'),
    virtualSize: number('virtual_size'),
    minDisk: number('min_disk') ?? 0,
    minRam: number('min_ram') ?? 0,
    checksum: text('checksum'),
    osHashAlgo: text('os_hash_algo'),
    osHashValue: text('os_hash_value'),
    tags: (wire['tags'] ?? []) as string[],
    createdAt: String(wire['created_at']),
    updatedAt: String(wire['updated_at']),
    properties: Object.fromEntries(custom.map(([name, value]) => [name, String(value)])),
  }
}

const kindOf: Readonly<Record<number, FaultKind>> = {
  400: 'invalid',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not-found',
  409: 'conflict',
  410: 'gone',
  413: 'too-large',
  415: 'unsupported-media',
}

async function describeReply(reply: HttpReply, { method, path }: HttpCall): Promise<Fault> {
  // Nobody reads the body of a refused download; unread it would keep its connection.
  reply.stream?.destroy()
  const body = reply.body
  const said = typeof body === 'object' && body !== null ? (body as Wire)['message'] : undefined
  const message =
    typeof said === 'string' ? said : `Image answered ${reply.status} to ${method} ${path.split('?')[0]}.`
  return new Fault(kindOf[reply.status] ?? 'unavailable', message, { status: reply.status })
}
