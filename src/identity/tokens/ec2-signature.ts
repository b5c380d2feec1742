/**
 * Requests to EC2 and S3 that are signed with the secret of an EC2 credential, as the services that took them describe
 * them to identity: Signature Version 2 and 4 for EC2; for S3 the text that was signed.
 */
import { createHash, createHmac, type Hmac, timingSafeEqual } from 'node:crypto'

type Strings = Readonly<Record<string, string>>

/** What a client sent, without the secret. */
export interface Ec2Request {
  verb: string
  /** With the port, when the client named one. */
  host: string
  path: string
  params: Strings
  headers: Strings
  /** SHA-256 of the body in hexadecimal, for version 4. */
  bodyHash: string
}

const algorithm = 'AWS4-HMAC-SHA256'

/** True when the secret makes this signature; some clients sign without the port. */
export function isEc2Signature(request: Ec2Request, secret: string, signature: string): boolean {
  const hosts = [request.host, request.host.replace(/:\d+$/, '')]
  return hosts.some((host) => {
    const wanted = ec2Signature({ ...request, host }, secret)
    return wanted !== undefined && isSame(wanted, signature)
  })
}

/** True when the secret makes this signature of the text. */
export function isS3Signature(text: Buffer, secret: string, signature: string): boolean {
  if (text.subarray(0, 4).toString() !== 'AWS4') {
    return isSame(createHmac('sha1', secret).update(text).digest('base64'), signature)
  }
  const [name, , scope, ...rest] = text.toString().split('\n')
  const [date, region, service, end] = scope?.split('/') ?? []
  const isComplete = name === algorithm && rest.length === 1 && end === 'aws4_request'
  if (!isComplete || !['s3', 'iam', 'sts'].includes(service!)) return false
  return isSame(signWith(secret, [date!, region!, service!, end], text), signature)
}

/** When the request was signed, as it says itself; undefined when it does not. */
export function signingTime(request: Pick<Ec2Request, 'params' | 'headers'>): string | undefined {
  return request.params['Timestamp'] ?? amzDate(request)
}

const amzDate = ({ params, headers }: Pick<Ec2Request, 'params' | 'headers'>): string | undefined =>
  header(headers, 'x-amz-date') ?? params['X-Amz-Date']

/** Milliseconds since the epoch for an ISO time or `20261123T120000Z`; NaN for anything else. */
export function parseSigningTime(text: string): number {
  const basic = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/
  const iso = text.replace(basic, '$1-$2-$3T$4:$5:$6Z')
  return Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(iso) ? iso : `${iso}Z`)
}

function ec2Signature(request: Ec2Request, secret: string): string | undefined {
  const { params, headers } = request
  if (params['SignatureVersion'] === '2') {
    const signed = { ...params, SignatureMethod: 'HmacSHA256' }
    const text = [request.verb, request.host, request.path, canonicalQuery(signed)].join('\n')
    return createHmac('sha256', secret).update(text).digest('base64')
  }
  const inHeader = header(headers, 'authorization')?.startsWith(algorithm) === true
  if (!inHeader && params['X-Amz-Algorithm'] !== algorithm) return undefined
  return signatureV4(request, secret)
}

function signatureV4(request: Ec2Request, secret: string): string | undefined {
  const { params, headers } = request
  const said = (name: string): string =>
    new RegExp(`${name}=([^,\\s]*)`).exec(header(headers, 'authorization') ?? '')?.[1] ??
    params[`X-Amz-${name}`] ??
    ''
  const [, ...scope] = said('Credential').split('/')
  const date = amzDate(request)
  if (scope.length !== 4 || date === undefined || !date.startsWith(scope[0]!)) return undefined
  const names = said('SignedHeaders')
  const lines = names.split(';').flatMap((name) => {
    const value = name === 'host' ? request.host : header(headers, name)
    return value === undefined ? [] : [`${name}:${value.trim()}`]
  })
  const verb = request.verb.toUpperCase()
  const query = verb === 'POST' ? '' : canonicalQuery(params)
  const canonical = [verb, request.path, query, `${lines.join('\n')}\n`, names, request.bodyHash].join('\n')
  const hash = createHash('sha256').update(canonical).digest('hex')
  return signWith(secret, scope, [algorithm, date, scope.join('/'), hash].join('\n'))
}

/** The key of version 4 is derived from the secret by each part of the scope in turn. */
function signWith(secret: string, scope: readonly string[], text: string | Buffer): string {
  const hmac = (key: string | Buffer): Hmac => createHmac('sha256', key)
  const key = scope.reduce<string | Buffer>(
    (before, part) => hmac(before).update(part).digest(),
    `AWS4${secret}`,
  )
  return hmac(key).update(text).digest('hex')
}

function canonicalQuery(params: Strings): string {
  const encode = (text: string): string =>
    encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
  return Object.keys(params)
    .sort()
    .map((name) => `${encode(name)}=${encode(params[name]!)}`)
    .join('&')
}

function header(headers: Strings, name: string): string | undefined {
  return Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1]
}

function isSame(wanted: string, given: string): boolean {
  const [a, b] = [Buffer.from(wanted), Buffer.from(given)]
  return a.length === b.length && timingSafeEqual(a, b)
}
