import { Fault } from '../../../base/errors.ts'

/** The bytes that a Range header asks for, both ends inclusive; undefined for all, or for a header to be ignored. */
export function parseRange(header: string, size: number): { start: number; end: number } | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header.trim())
  if (match === null || (match[1] === '' && match[2] === '')) return undefined
  const last = size - 1
  const [start, end] =
    match[1] === ''
      ? [Math.max(0, size - Number(match[2])), last]
      : [Number(match[1]), match[2] === '' ? last : Math.min(Number(match[2]), last)]
  if (start > last || end < start) {
    throw new Fault('invalid', `The range ${header} is outside of the ${size} bytes of the image.`, {
      unsatisfiable: size,
    })
  }
  return { start, end }
}
