import { Fault } from '../../../base/errors.ts'
import type { ImageSettings } from '../../config.ts'
import type { Image } from '../../store/images.ts'

/** Throws `too-large` for an image with more tags or custom properties than allowed; a negative quota is none. */
export function assertQuotas(image: Pick<Image, 'tags' | 'properties'>, settings: ImageSettings): void {
  assertCount('properties', Object.keys(image.properties).length, settings.imagePropertyQuota)
  assertCount('tags', image.tags.length, settings.imageTagQuota)
}

/** Throws `too-large` when there are more of them than `maximum`. */
export function assertCount(what: string, attempted: number, maximum: number): void {
  if (maximum < 0 || attempted <= maximum) return
  throw new Fault(
    'too-large',
    `The limit has been exceeded on the number of allowed image ${what}. ` +
      `Attempted: ${attempted}, Maximum: ${maximum}`,
    { attempted, maximum },
  )
}
