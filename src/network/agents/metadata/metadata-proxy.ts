/**
 * Passes guests' requests on to nova's metadata service with the instance's id and a signature. haproxy in the
 * network's namespace says from which network and address a request comes; the server says whose port that is.
 */
import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { describeError } from '../../../base/errors.ts'
import type { Logger } from '../../../base/log.ts'
import type { ServerMethods } from '../../rpc/agents.ts'

export interface MetadataRequest {
  method: string
  /** Path and query. */
  url: string
  headers: Record<string, string>
  body: Buffer
}

export interface MetadataReply {
  status: number
  contentType: string
  body: Buffer
}

/** Sends a request to nova-api-metadata: over HTTP, or straight into the service in the same process. */
export type Forward = (request: MetadataRequest) => Promise<MetadataReply>

export interface MetadataProxyDeps {
  server: Pick<ServerMethods, 'findPort'>
  forward: Forward
  sharedSecret: string
  log: Logger
}

/** `X-Instance-ID-Signature`. */
export const signInstanceId = (instanceId: string, secret: string): string =>
  createHmac('sha256', secret).update(instanceId).digest('hex')

/** A `Forward` to a metadata service at `http://controller:8775`. */
export function forwardOverHttp(baseUrl: string): Forward {
  return async ({ method, url, headers, body }) => {
    const reply = await fetch(baseUrl + url, {
      method,
      headers,
      ...(method === 'GET' || method === 'HEAD' ? {} : { body: new Uint8Array(body) }),
      signal: AbortSignal.timeout(60_000),
    })
    return {
      status: reply.status,
      contentType: reply.headers.get('content-type') ?? 'text/plain',
      body: Buffer.from(await reply.arrayBuffer()),
    }
  }
}

/** The HTTP server behind every network's haproxy; the caller lets it listen. */
export function createMetadataProxy(deps: MetadataProxyDeps) {
  return createServer((request, response) => {
    answer(deps, request).then(
      (reply) => send(response, reply),
      (error: unknown) => {
        deps.log.error({ error: describeError(error), url: request.url }, 'a metadata request failed')
        send(response, plain(500, 'The metadata service does not answer. Please try again.'))
      },
    )
  })
}

async function answer(deps: MetadataProxyDeps, request: IncomingMessage): Promise<MetadataReply> {
  const networkId = header(request, 'x-neutron-network-id')
  const ipAddress = header(request, 'x-forwarded-for')?.replace(/^::ffff:/, '')
  if (networkId === undefined || ipAddress === undefined)
    return plain(404, 'The request does not say where it comes from.')
  const body = await readBody(request)
  if (body === undefined) return plain(413, 'The request is too large.')
  const port = await deps.server.findPort({ networkId, ipAddress })
  if (port === null) {
    deps.log.warn({ networkId, ipAddress }, 'metadata was asked for by nobody that is known')
    return plain(404, 'No server has this address.')
  }
  const reply = await deps.forward({
    method: request.method ?? 'GET',
    url: request.url ?? '/',
    headers: {
      'X-Forwarded-For': ipAddress,
      'X-Instance-ID': port.deviceId,
      'X-Tenant-ID': port.projectId,
      'X-Instance-ID-Signature': signInstanceId(port.deviceId, deps.sharedSecret),
    },
    body,
  })
  if (reply.status === 403)
    deps.log.warn('the metadata service refused the signature: do both sides have the same shared secret?')
  return reply
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name]
  const text = Array.isArray(value) ? value.at(-1) : value
  return text === undefined || text === '' ? undefined : text
}

const maxBodyBytes = 1024 * 1024

async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBodyBytes) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

const plain = (status: number, text: string): MetadataReply => ({
  status,
  contentType: 'text/plain; charset=utf-8',
  body: Buffer.from(`${text}\n`),
})

function send(response: ServerResponse, reply: MetadataReply): void {
  response.writeHead(reply.status, { 'content-type': reply.contentType, 'content-length': reply.body.length })
  response.end(reply.body)
}
