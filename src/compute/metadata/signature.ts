import { createHmac, timingSafeEqual } from 'node:crypto'

/** HMAC-SHA256 of an instance id with the secret that metadata service and proxy share, as hex. */
export const signInstanceId = (secret: string, instanceId: string): string =>
  createHmac('sha256', secret).update(instanceId).digest('hex')

/** Compared in constant time. */
export function isSignedBy(secret: string, instanceId: string, signature: string): boolean {
  const expected = Buffer.from(signInstanceId(secret, instanceId))
  const given = Buffer.from(signature)
  return given.length === expected.length && timingSafeEqual(given, expected)
}
