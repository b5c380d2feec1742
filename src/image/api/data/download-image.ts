import type { Readable } from 'node:stream'
import { Fault } from '../../../base/errors.ts'
import type { ApiRequest } from '../../../base/http/route.ts'
import type { ImageDeps } from '../deps.ts'
import { requestedImage, targetOf } from '../images/lookup.ts'
import { parseRange } from './range.ts'

/** `GET /v2/images/{id}/file`, whole or a range of bytes; 204 while there are no data. */
export async function downloadImage(request: ApiRequest, deps: ImageDeps): Promise<Readable | undefined> {
  const image = await requestedImage(request, deps.db)
  if (image.status === 'deactivated' && !request.can('context_is_admin'))
    throw new Fault(
      'forbidden',
      'The requested image has been deactivated. Image data download is forbidden.',
      { id: image.id },
    )
  const target = targetOf(image, request.context.projectId ?? undefined)
  if (!request.can('download_image', target))
    throw new Fault('forbidden', 'You are not authorized to complete download_image action.')
  const hasData = image.status === 'active' || image.status === 'deactivated'
  const size = image.size ?? 0
  const range = hasData ? parseRange(String(request.headers['range'] ?? ''), size) : undefined
  const stream = hasData ? await deps.store.read(image.id, range) : undefined
  if (stream === undefined) return undefined
  request.setStatus(range === undefined ? 200 : 206)
  request.setHeader('content-type', 'application/octet-stream')
  request.setHeader('accept-ranges', 'bytes')
  if (image.checksum !== null) request.setHeader('content-md5', image.checksum)
  if (range === undefined) request.setHeader('content-length', String(size))
  else {
    request.setHeader('content-range', `bytes ${range.start}-${range.end}/${size}`)
    request.setHeader('content-length', String(range.end - range.start + 1))
  }
  return stream
}
