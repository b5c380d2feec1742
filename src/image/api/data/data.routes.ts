import type { Route } from '../../../base/http/route.ts'
import type { ImageDeps } from '../deps.ts'
import { downloadImage } from './download-image.ts'
import { stageImage } from './stage-image.ts'
import { uploadImage } from './upload-image.ts'

export const dataRoutes: readonly Route<ImageDeps>[] = [
  { put: '/v2/images/:id/file', policy: 'default', rawBody: true, handler: uploadImage },
  { get: '/v2/images/:id/file', policy: 'default', handler: downloadImage },
  { put: '/v2/images/:id/stage', policy: 'default', rawBody: true, handler: stageImage },
]
