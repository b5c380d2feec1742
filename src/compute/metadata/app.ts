/** The metadata service: what a guest reads at 169.254.169.254, asked for by a proxy that says which guest it is. */
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { describeError, Fault } from '../../base/errors.ts'
import { statusOf } from '../../base/http/status.ts'
import type { Logger } from '../../base/log.ts'
import { ec2Tree, ec2Versions, lookUp, printed } from './ec2-tree.ts'
import type { InstanceFacts } from './facts.ts'
import { type Document, documentAt, documentNames, openstackVersions, versionOf } from './openstack-tree.ts'
import { isSignedBy } from './signature.ts'

export interface MetadataDeps {
  /**
   * nova's `[neutron] metadata_proxy_shared_secret`, with which a proxy signs whom it speaks for. Null where
   * `service_metadata_proxy` is off: guests ask themselves, and are known by their address alone.
   */
  sharedSecret: string | null
  /** The one server with this address; undefined for none, or several on networks of the same addresses. */
  instanceAt(address: string): Promise<string | undefined>
  /** Undefined for a server that is not there. */
  findFacts(instanceId: string): Promise<InstanceFacts | undefined>
  /** Keeps the password a guest posts; `conflict` when one is kept already. */
  setPassword(instanceId: string, password: string): Promise<void>
  log: Logger
}

/** nova's limit for a posted password: four columns of 255 characters. */
const maxPasswordLength = 1020

export function createMetadataApp(deps: MetadataDeps): FastifyInstance {
  const app = Fastify({ bodyLimit: 65_536, forceCloseConnections: true })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, text, done) => done(null, text))
  app.setErrorHandler((error: Error, _request, reply) => {
    const fault = error instanceof Fault ? error : undefined
    if (fault === undefined) deps.log.error({ err: error }, 'unexpected error in the metadata service')
    const status =
      fault === undefined ? ((error as { statusCode?: number }).statusCode ?? 500) : statusOf[fault.kind]
    return reply
      .code(status)
      .type('text/plain')
      .send(fault === undefined ? 'Unexpected error.' : describeError(fault))
  })
  app.route({ method: ['GET', 'POST'], url: '/*', handler: (request, reply) => answer(deps, request, reply) })
  return app
}

async function answer(
  deps: MetadataDeps,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const path = (request.url.split('?')[0] ?? '/').split('/').filter((part) => part !== '' && part !== '.')
  const text = (content: string) => reply.type('text/plain; charset=UTF-8').send(content)
  if (path.length === 0) return text([...ec2Versions, 'latest'].join('\n'))
  const facts = await whoAsks(deps, request)
  const found = path[0] === 'openstack' ? inOpenstack(facts, path.slice(1)) : inEc2(facts, path)
  if (request.method === 'POST') {
    if (path[0] !== 'openstack' || path[2] !== 'password' || found === undefined) {
      throw new Fault('not-found', 'Only openstack/VERSION/password takes a POST.')
    }
    await postPassword(deps, facts, String(request.body ?? ''))
    return reply.send()
  }
  if (found === undefined)
    throw new Fault('not-found', `There is no ${request.url.split('?')[0]} for this server.`)
  return typeof found === 'string' ? text(found) : reply.type(found.type).send(found.content)
}

async function whoAsks(deps: MetadataDeps, request: FastifyRequest): Promise<InstanceFacts> {
  return deps.sharedSecret === null
    ? await guestAt(deps, request)
    : await guestOfProxy(deps, deps.sharedSecret, request)
}

async function guestAt(deps: MetadataDeps, request: FastifyRequest): Promise<InstanceFacts> {
  const address = request.ip.replace(/^::ffff:/, '')
  if (request.headers['x-instance-id'] !== undefined)
    deps.log.warn(
      { from: address },
      'a metadata request names its instance, which counts only with [neutron] service_metadata_proxy = true',
    )
  const instanceId = await deps.instanceAt(address)
  const facts = instanceId === undefined ? undefined : await deps.findFacts(instanceId)
  if (facts === undefined) throw new Fault('not-found', `There is no metadata for the address ${address}.`)
  return facts
}

async function guestOfProxy(
  deps: MetadataDeps,
  sharedSecret: string,
  request: FastifyRequest,
): Promise<InstanceFacts> {
  const header = (name: string): string => {
    const value = request.headers[name.toLowerCase()]
    if (value === undefined) throw new Fault('invalid', `${name} header is missing from request.`)
    if (Array.isArray(value) || value.includes(','))
      throw new Fault('invalid', `Multiple ${name} headers found within request.`)
    return value
  }
  const instanceId = header('X-Instance-ID')
  const signature = header('X-Instance-ID-Signature')
  const projectId = header('X-Tenant-ID')
  // What is signed with nothing, anybody can sign.
  if (sharedSecret === '' || !isSignedBy(sharedSecret, instanceId, signature)) {
    deps.log.warn(
      { instanceId, from: request.headers['x-forwarded-for'] },
      'metadata request with a wrong signature',
    )
    throw new Fault('forbidden', 'Invalid proxy request signature.')
  }
  const facts = await deps.findFacts(instanceId)
  if (facts === undefined || facts.projectId !== projectId) {
    throw new Fault('not-found', `There is no metadata for instance ${instanceId}.`)
  }
  return facts
}

function inOpenstack(facts: InstanceFacts, path: readonly string[]): Document | string | undefined {
  const [asked, name, ...rest] = path
  if (asked === undefined) return [...openstackVersions, 'latest'].join('\n')
  const version = versionOf(asked)
  if (version === undefined || rest.length > 0) return undefined
  return name === undefined ? documentNames(facts, version).join('\n') : documentAt(facts, version, name)
}

function inEc2(facts: InstanceFacts, path: readonly string[]): Document | string | undefined {
  const [version, ...rest] = path[0] === 'ec2' ? path.slice(1) : path
  if (version === undefined) return [...ec2Versions, 'latest'].join('\n')
  const tree = ec2Tree(facts, version)
  const found = tree === undefined ? undefined : lookUp(tree, rest)
  if (found === undefined) return undefined
  if (rest[0] === 'user-data')
    return { type: 'text/plain', content: Buffer.from(facts.userData ?? '', 'base64') }
  return printed(found)
}

async function postPassword(deps: MetadataDeps, facts: InstanceFacts, password: string): Promise<void> {
  if (facts.postedPassword !== '') throw new Fault('conflict', 'The password of this server is set already.')
  if (password.length > maxPasswordLength) {
    throw new Fault(
      'invalid',
      `The password has ${password.length} characters; ${maxPasswordLength} are the most.`,
    )
  }
  await deps.setPassword(facts.uuid, password)
}
