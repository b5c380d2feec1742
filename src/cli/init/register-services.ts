/** The services' users, roles, services and endpoints at identity, as OpenStack's installation guides name them. */
import { Fault } from '../../base/errors.ts'
import type { Send } from '../../base/http/client.ts'
import { sendByHttp } from '../../base/http/send-by-http.ts'
import type { AdminClient, ApiName } from '../admin-client.ts'
import { inUrl } from './config-files.ts'
import type { ServiceName } from './secrets.ts'

interface CatalogEntry {
  name: ServiceName
  type: string
  description: string
  /** Behind the host's name. */
  path: string
}

const catalog: readonly CatalogEntry[] = [
  { name: 'keystone', type: 'identity', description: 'OpenStack Identity', path: ':5000/v3/' },
  { name: 'glance', type: 'image', description: 'OpenStack Image', path: ':9292' },
  { name: 'placement', type: 'placement', description: 'Placement API', path: ':8778' },
  { name: 'nova', type: 'compute', description: 'OpenStack Compute', path: ':8774/v2.1' },
  { name: 'neutron', type: 'network', description: 'OpenStack Networking', path: ':9696' },
]

const ports: Readonly<Record<ApiName, number>> = {
  identity: 5000,
  image: 9292,
  placement: 8778,
  compute: 8774,
  network: 9696,
}

/** The ways to the APIs of a controller. */
export function sendsTo(controller: string): Record<ApiName, Send> {
  const send = (api: ApiName) => sendByHttp(`http://${inUrl(controller)}:${ports[api]}`)
  return {
    identity: send('identity'),
    image: send('image'),
    placement: send('placement'),
    compute: send('compute'),
    network: send('network'),
  }
}

export interface Registration {
  controller: string
  /** Passwords of the services' users. */
  users: Partial<Record<ServiceName, string>>
}

/** Makes what is missing, and puts right what is other than wanted; says what it did, and nothing when run again. */
export async function registerServices(
  deps: { admin: AdminClient; identity: Send },
  { controller, users }: Registration,
): Promise<string[]> {
  const done: string[] = []
  const call = <T>(method: 'GET' | 'POST' | 'PUT' | 'PATCH', path: string, body?: unknown) =>
    deps.admin.call<T>('identity', method, `/v3${path}`, body)
  const project = await ensureProject(call, done)
  const { roles } = await call<{ roles: Named[] }>('GET', '/roles')
  if (!roles.some(({ name }) => name === 'admin')) throw new Fault('not-found', 'Identity has no role admin.')
  // Identity before 2023.1 has no role service.
  const given = roles.filter(({ name }) => name === 'admin' || name === 'service')
  for (const [name, password] of Object.entries(users)) {
    const id = await ensureUser({ call, identity: deps.identity }, done, name, password)
    for (const role of given) await call('PUT', `/projects/${project}/users/${id}/roles/${role.id}`)
  }
  for (const entry of catalog) await ensureService(call, done, entry, controller)
  return done
}

type Call = <T>(method: 'GET' | 'POST' | 'PUT' | 'PATCH', path: string, body?: unknown) => Promise<T>
interface Named {
  id: string
  name: string
}

async function ensureProject(call: Call, done: string[]): Promise<string> {
  const { projects } = await call<{ projects: Named[] }>('GET', '/projects?name=service&domain_id=default')
  const [known] = projects
  if (known !== undefined) return known.id
  const project = { name: 'service', description: 'Service Project', domain_id: 'default' }
  done.push('project service')
  return (await call<{ project: Named }>('POST', '/projects', { project })).project.id
}

async function ensureUser(
  { call, identity }: { call: Call; identity: Send },
  done: string[],
  name: string,
  password: string,
): Promise<string> {
  const { users } = await call<{ users: Named[] }>('GET', `/users?name=${name}&domain_id=default`)
  const [known] = users
  if (known === undefined) {
    const user = { name, password, domain_id: 'default' }
    done.push(`user ${name}`)
    return (await call<{ user: Named }>('POST', '/users', { user })).user.id
  }
  // A password that is set anew ends the tokens of its user: only one that is another is.
  if (!(await letsIn(identity, known.id, password))) {
    await call('PATCH', `/users/${known.id}`, { user: { password } })
    done.push(`password of user ${name}`)
  }
  return known.id
}

async function letsIn(identity: Send, id: string, password: string): Promise<boolean> {
  const method = { methods: ['password'], password: { user: { id, password } } }
  const body = { auth: { identity: method } }
  const { status } = await identity({ method: 'POST', path: '/v3/auth/tokens', body })
  if (status !== 201 && status !== 401)
    throw new Fault('unavailable', `Identity answered a login of a service user with HTTP ${status}.`)
  return status === 201
}

async function ensureService(
  call: Call,
  done: string[],
  entry: CatalogEntry,
  controller: string,
): Promise<void> {
  const { name, type, description, path } = entry
  const { services } = await call<{ services: Named[] }>('GET', `/services?type=${type}`)
  let id = services.find((service) => service.name === name)?.id ?? services[0]?.id
  if (id === undefined) {
    const created = await call<{ service: Named }>('POST', '/services', {
      service: { name, type, description },
    })
    id = created.service.id
    done.push(`service ${name}`)
  }
  const url = `http://${inUrl(controller)}${path}`
  const found = await call<{
    endpoints: { id: string; interface: string; region_id: string; url: string }[]
  }>('GET', `/endpoints?service_id=${id}`)
  for (const kind of ['public', 'internal', 'admin']) {
    const known = found.endpoints.find((one) => one.interface === kind && one.region_id === 'RegionOne')
    if (known?.url === url) continue
    const endpoint = { service_id: id, interface: kind, region_id: 'RegionOne', url }
    if (known === undefined) await call('POST', '/endpoints', { endpoint })
    else await call('PATCH', `/endpoints/${known.id}`, { endpoint: { url } })
    done.push(`${kind} endpoint of ${name}: ${url}`)
  }
}
