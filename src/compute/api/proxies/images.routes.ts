/** Images by the API they had before Image had them, up to 2.35. */

import type { ImageInfo } from '#image/client.ts'
import { Fault, isFault } from '../../../base/errors.ts'
import type { ApiRequest, Route } from '../../../base/http/route.ts'
import type { ApiDbDeps, ImageDeps } from '../deps.ts'
import { type LinkMaker, linkMaker, nextLink } from '../links.ts'
import { pageOf, queryValue } from '../paging.ts'
import { isTrue } from '../schema-types.ts'

type Request = ApiRequest<never>
export type ImageProxyDeps = ApiDbDeps & ImageDeps

const until = '2.35'
const policy = 'authenticated'

export const imageRoutes: readonly Route<ImageProxyDeps>[] = [
  { get: '/images', until, policy, handler: (request, deps) => list(request, deps, brief) },
  { get: '/images/detail', until, policy, handler: (request, deps) => list(request, deps, whole) },
  { get: '/images/:id', until, policy, handler: show },
  { delete: '/images/:id', until, policy, handler: remove },
]

const clientOf = (request: Request, deps: ImageProxyDeps) => deps.imagesFor(request.context.token)

const words: Readonly<Record<string, [status: string, progress: number]>> = {
  queued: ['SAVING', 25],
  saving: ['SAVING', 50],
  active: ['ACTIVE', 100],
  killed: ['ERROR', 0],
  deleted: ['DELETED', 0],
  pending_delete: ['DELETED', 0],
}

function brief(image: ImageInfo, links: LinkMaker) {
  const alternate = { rel: 'alternate', type: 'application/vnd.openstack.image', href: `/images/${image.id}` }
  return { id: image.id, name: image.name, links: [...links(image.id), alternate] }
}

function whole(image: ImageInfo, links: LinkMaker): Record<string, unknown> {
  const [status, progress] = words[image.status] ?? ['UNKNOWN', 0]
  const view: Record<string, unknown> = {
    ...brief(image, links),
    minRam: image.minRam,
    minDisk: image.minDisk,
    metadata: image.properties,
    created: image.createdAt,
    updated: image.updatedAt,
    status,
    progress,
    'OS-EXT-IMG-SIZE:size': image.size ?? 0,
  }
  const diskConfig = image.properties['auto_disk_config']
  if (diskConfig !== undefined) view['OS-DCF:diskConfig'] = isTrue(diskConfig) ? 'AUTO' : 'MANUAL'
  return view
}

async function list(
  request: Request,
  deps: ImageProxyDeps,
  view: (image: ImageInfo, links: LinkMaker) => object,
) {
  const page = pageOf(request, deps.config.maxLimit)
  const images = (await clientOf(request, deps).list()).filter((image) => fits(request, image))
  const after = page.marker === undefined ? -1 : images.findIndex(({ id }) => id === page.marker)
  if (page.marker !== undefined && after < 0) throw new Fault('invalid', `marker [${page.marker}] not found`)
  const shown = images.slice(after + 1, after + 1 + page.limit)
  const links = linkMaker(request as ApiRequest, 'images')
  const answer: Record<string, unknown> = { images: shown.map((image) => view(image, links)) }
  const last = shown.at(-1)
  if (last !== undefined && shown.length === page.limit)
    answer['images_links'] = [nextLink(request as ApiRequest, last.id)]
  return answer
}

function fits(request: Request, image: ImageInfo): boolean {
  const is = (name: string, test: (wanted: string) => boolean) => {
    const wanted = queryValue(request, name)
    return wanted === undefined || test(wanted)
  }
  return (
    is('name', (name) => image.name === name) &&
    is('status', (status) => words[image.status]?.[0] === status.toUpperCase()) &&
    is('minRam', (minimum) => image.minRam >= Number(minimum)) &&
    is('minDisk', (minimum) => image.minDisk >= Number(minimum)) &&
    is('changes-since', (time) => Date.parse(image.updatedAt) >= Date.parse(time)) &&
    is('type', (type) => (image.properties['image_type'] === 'snapshot') === (type === 'snapshot')) &&
    is('server', (server) => image.properties['instance_uuid'] === server.split('/').at(-1))
  )
}

/** Throws `not-found` in nova's words where the caller cannot see the image. */
export async function findImage(request: Request, deps: ImageProxyDeps): Promise<ImageInfo> {
  try {
    return await clientOf(request, deps).show(request.params['id']!)
  } catch (error) {
    if (isFault(error, 'not-found')) throw new Fault('not-found', 'Image not found.', {}, error)
    throw error
  }
}

async function show(request: Request, deps: ImageProxyDeps) {
  return { image: whole(await findImage(request, deps), linkMaker(request as ApiRequest, 'images')) }
}

async function remove(request: Request, deps: ImageProxyDeps): Promise<void> {
  const { id } = await findImage(request, deps)
  await clientOf(request, deps).delete(id)
}
