import { Fault } from '../../../base/errors.ts'
import type { ApiRequest, Route } from '../../../base/http/route.ts'
import type { ImageDeps } from '../deps.ts'
import { authorizeImage, requestedImage } from '../images/lookup.ts'

export const infoRoutes: readonly Route<ImageDeps>[] = [
  {
    get: '/v2/info/import',
    policy: 'default',
    handler: (_request, { settings }) => ({
      'import-methods': {
        description: 'Import methods available.',
        type: 'array',
        value: settings.enabledImportMethods,
      },
    }),
  },
  {
    get: '/v2/info/stores',
    policy: 'default',
    handler: (_request, { settings }) => ({ stores: [{ id: settings.storeId, default: 'true' }] }),
  },
  {
    get: '/v2/info/stores/detail',
    policy: 'stores_info_detail',
    handler: (_request, { settings, store }) => ({
      stores: [
        {
          id: settings.storeId,
          default: 'true',
          type: 'file',
          properties: { data_dir: store.path(''), chunk_size: 65536, thin_provisioning: false },
        },
      ],
    }),
  },
  { get: '/v2/info/usage', policy: 'default', handler: () => ({ usage: {} }) },
  { delete: '/v2/stores/:store/:id', policy: 'default', handler: refuseOnlyStore },
]

async function refuseOnlyStore(request: ApiRequest, { db, settings }: ImageDeps): Promise<void> {
  const store = request.params['store']!
  if (store !== settings.storeId)
    throw new Fault('conflict', `The selected store ${store} is not available on this node.`, { store })
  const image = await requestedImage(request, db)
  authorizeImage(request, image, 'delete_image_location')
  if (image.status !== 'active')
    throw new Fault(
      'conflict',
      "Image data are removed from a store only when the image's status is 'active'.",
    )
  throw new Fault(
    'forbidden',
    'Cannot delete image data from the only store containing it. Consider deleting the image instead.',
  )
}
