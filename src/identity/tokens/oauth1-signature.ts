/** Requests that are signed as RFC 5849 (OAuth 1.0a) has it, in the `Authorization` header. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { Fault } from '#base/errors.ts'

export interface SignedRequest {
  method: string
  /** As the client addressed it, with the query. */
  url: string
  authorization: string | undefined
  /** Milliseconds since the epoch. */
  now: number
}

export type OauthParameters = ReadonlyMap<string, string>

const allowedSkewSeconds = 600
const digests: Readonly<Record<string, string>> = {
  'HMAC-SHA1': 'sha1',
  'HMAC-SHA256': 'sha256',
  'HMAC-SHA512': 'sha512',
}

/** What is in the header; throws `invalid` when it is not an OAuth header. */
export function oauthParameters(authorization: string | undefined): OauthParameters {
  const [, list] = /^OAuth\s+(.*)$/is.exec(authorization ?? '') ?? []
  if (list === undefined) {
    throw new Fault('invalid', 'The header Authorization must be an OAuth 1.0a one: OAuth oauth_token="…", …')
  }
  const parameters = new Map<string, string>()
  for (const part of list.split(',')) {
    const [, key, value] = /^\s*([^=\s]+)="([^"]*)"\s*$/.exec(part) ?? []
    if (key === undefined || value === undefined) throw invalid('Malformed authorization header.')
    if (parameters.has(key)) throw invalid('Duplicate OAuth1 parameter found.')
    parameters.set(decode(key), decode(value))
  }
  return parameters
}

/** Throws `invalid` when something that every signed request must say is missing or out of its bounds. */
export function assertWellFormed(parameters: OauthParameters, request: SignedRequest): void {
  const mandatory = ['consumer_key', 'signature_method', 'signature', 'timestamp', 'nonce']
  if (mandatory.some((name) => (parameters.get(`oauth_${name}`) ?? '') === '')) {
    throw invalid('Missing mandatory OAuth parameters.')
  }
  const method = parameters.get('oauth_signature_method')!
  if (method !== 'PLAINTEXT' && digests[method] === undefined) {
    const known = [...Object.keys(digests), 'PLAINTEXT'].join(', ')
    throw invalid(`Invalid signature method ${method}; known are ${known}.`)
  }
  if ((parameters.get('oauth_version') ?? '1.0') !== '1.0') throw invalid('Invalid OAuth version.')
  const stamp = parameters.get('oauth_timestamp')!
  if (!/^\d{10}$/.test(stamp)) throw invalid('Invalid timestamp size.')
  if (Math.abs(request.now / 1000 - Number(stamp)) > allowedSkewSeconds) {
    throw invalid(`Timestamp given is invalid, differ from allowed by over ${allowedSkewSeconds} seconds.`)
  }
}

export function isSignedWith(
  parameters: OauthParameters,
  request: SignedRequest,
  secrets: { consumer: string; token?: string },
): boolean {
  const key = `${encode(secrets.consumer)}&${encode(secrets.token ?? '')}`
  const digest = digests[parameters.get('oauth_signature_method')!]
  const signature =
    digest === undefined
      ? key
      : createHmac(digest, key).update(baseString(parameters, request)).digest('base64')
  const given = Buffer.from(parameters.get('oauth_signature')!)
  const wanted = Buffer.from(signature)
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}

/** RFC 5849, 3.4.1: the method, the address and all parameters, so that none of them can be changed. */
function baseString(parameters: OauthParameters, request: SignedRequest): string {
  const url = new URL(request.url)
  const signed = [...parameters].filter(([key]) => key !== 'realm' && key !== 'oauth_signature')
  const pairs = [...signed, ...url.searchParams].map(([key, value]) => [encode(key), encode(value)] as const)
  const sorted = pairs.sort(([a, x], [b, y]) => (a === b ? compare(x, y) : compare(a, b)))
  const normalized = sorted.map(([key, value]) => `${key}=${value}`).join('&')
  return [request.method.toUpperCase(), `${url.origin}${url.pathname}`, normalized].map(encode).join('&')
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** RFC 5849, 3.6: stricter than a URL's. */
const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    throw new Fault('invalid', 'Malformed authorization header.', {}, error)
  }
}

const invalid = (detail: string): Fault =>
  new Fault('invalid', `Validation failed with errors: invalid_request, detail message is: ${detail}`)
