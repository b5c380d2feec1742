import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ImageClient } from '#image/client.ts'
import { Fault } from '../../base/errors.ts'
import type { ImageSource } from '../virt/driver.ts'

/** Images of the Image service as files, their hash verified on the way. */
export function imageSource(images: ImageClient): ImageSource {
  return {
    async download(imageId, path) {
      const { stream, hash } = await images.download(imageId)
      const seen = hash === null ? null : createHash(hash.algorithm)
      const digest = new Transform({
        transform(chunk: Buffer, _encoding, done) {
          seen?.update(chunk)
          done(null, chunk)
        },
      })
      try {
        await pipeline(stream, digest, createWriteStream(path, { flags: 'wx', mode: 0o644 }))
        const found = seen?.digest('hex')
        if (found !== undefined && found !== hash?.value) {
          throw new Fault(
            'unavailable',
            `Image ${imageId} came with ${hash?.algorithm} ${found}; it should have ${hash?.value}.`,
            { imageId },
          )
        }
      } catch (error) {
        await rm(path, { force: true })
        throw error
      }
    },
  }
}
