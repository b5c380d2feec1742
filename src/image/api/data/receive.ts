/** Takes the bytes of a request into a store, for upload and for staging. */
import { Fault } from '../../../base/errors.ts'
import type { ApiRequest } from '../../../base/http/route.ts'
import type { FileStore, StoredData } from '../../backends/file-store.ts'

/** Throws `unsupported-media` unless the body is bytes. */
export function assertBytes(request: ApiRequest): void {
  const type = String(request.headers['content-type'] ?? '')
    .split(';')[0]!
    .trim()
  if (type === 'application/octet-stream') return
  throw new Fault(
    'unsupported-media',
    `Invalid content type ${type}; image data are application/octet-stream.`,
  )
}

/** Writes the body to the store; a client that goes away in the middle leaves nothing there. */
export async function receive(
  request: ApiRequest,
  store: FileStore,
  imageId: string,
  options: { maxBytes: number; accept(data: StoredData): void },
): Promise<StoredData> {
  try {
    return await store.write(imageId, request.stream, options)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ABORT_ERR')
      throw new Fault('invalid', 'The client closed the connection before all data were sent.', {}, error)
    throw error
  }
}
