/** The custom properties of images, which nova called their metadata, up to 2.38. */
import { Fault } from '../../../base/errors.ts'
import type { ApiRequest, Route } from '../../../base/http/route.ts'
import { limitsOf } from '../quotas/limits.ts'
import { Metadata, MetadataItem, wrapped } from '../schema-types.ts'
import { findImage, type ImageProxyDeps } from './images.routes.ts'

type Request = ApiRequest<never>
type Properties = Readonly<Record<string, string>>

const until = '2.38'
const policy = 'authenticated'
const all = '/images/:id/metadata'
const one = `${all}/:key`
const allBody = wrapped('metadata', Metadata)
const oneBody = wrapped('meta', MetadataItem)

export const imageMetadataRoutes: readonly Route<ImageProxyDeps>[] = [
  {
    get: all,
    until,
    policy,
    handler: async (request, deps) => ({ metadata: (await findImage(request, deps)).properties }),
  },
  { get: one, until, policy, handler: show },
  {
    post: all,
    until,
    policy,
    body: allBody,
    handler: async (request, deps) => ({
      metadata: await change(request, deps, (before) => ({ ...before, ...given(request) })),
    }),
  },
  {
    put: all,
    until,
    policy,
    body: allBody,
    handler: async (request, deps) => ({ metadata: await change(request, deps, () => given(request)) }),
  },
  { put: one, until, policy, body: oneBody, handler: update },
  { delete: one, until, policy, status: 204, handler: remove },
]

const given = (request: Request): Properties => (request.body as { metadata: Properties }).metadata

async function show(request: Request, deps: ImageProxyDeps) {
  const key = request.params['key']!
  const value = (await findImage(request, deps)).properties[key]
  if (value === undefined) throw new Fault('not-found', 'The resource could not be found.', { key })
  return { meta: { [key]: value } }
}

async function update(request: Request, deps: ImageProxyDeps) {
  const { meta } = request.body as { meta: Properties }
  if (!Object.hasOwn(meta, request.params['key']!)) {
    throw new Fault('invalid', 'Request body and URI mismatch')
  }
  await change(request, deps, (before) => ({ ...before, ...meta }))
  return { meta }
}

async function remove(request: Request, deps: ImageProxyDeps): Promise<void> {
  await change(request, deps, (before) => {
    const { [request.params['key']!]: value, ...rest } = before
    if (value === undefined) throw new Fault('not-found', 'Invalid metadata key')
    return rest
  })
}

async function change(
  request: Request,
  deps: ImageProxyDeps,
  to: (before: Properties) => Properties,
): Promise<Properties> {
  const image = await findImage(request, deps)
  const properties = to(image.properties)
  const { metadata_items: limit } = await limitsOf(deps.apiDb, deps.config, request.context.projectId ?? '')
  if (limit >= 0 && Object.keys(properties).length > limit) {
    throw new Fault('forbidden', 'Image metadata limit exceeded')
  }
  await deps.imagesFor(request.context.token).setProperties({ image, properties })
  return properties
}
