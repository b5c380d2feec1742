/**
 * Runs on the controller, once identity answers: service users, services and endpoints; with `first-things` what a user
 * needs at once. Takes its settings as JSON on standard input.
 */
import { text } from 'node:stream/consumers'
import { describeError, Fault, isFault } from '../../../base/errors.ts'
import { sendByHttp } from '../../../base/http/send-by-http.ts'
import { passwordAuthenticator } from '../../../identity/client.ts'
import { type AdminClient, type ApiName, adminClient } from '../../admin-client.ts'
import { firstStart, uploadBy } from '../../up/first-start.ts'
import type { ServiceName } from './secrets.ts'

export interface Registration {
  controller: string
  adminPassword: string
  /** Passwords of the services' users. */
  users: Partial<Record<ServiceName, string>>
  firstThings?: { directory: string; imageFile: string; providerCidr: string }
}

interface CatalogEntry {
  name: ServiceName
  type: string
  description: string
  path: string
}

const catalog: readonly CatalogEntry[] = [
  { name: 'glance', type: 'image', description: 'OpenStack Image', path: ':9292' },
  { name: 'placement', type: 'placement', description: 'Placement API', path: ':8778' },
  { name: 'nova', type: 'compute', description: 'OpenStack Compute', path: ':8774/v2.1' },
  { name: 'neutron', type: 'network', description: 'OpenStack Networking', path: ':9696' },
]

async function register(admin: AdminClient, { controller, users }: Registration): Promise<void> {
  const call = <T>(method: 'GET' | 'POST' | 'PUT', path: string, body?: unknown) =>
    admin.call<T>('identity', method, `/v3${path}`, body)
  const { project } = await call<{ project: { id: string } }>('POST', '/projects', {
    project: { name: 'service', description: 'Service Project', domain_id: 'default' },
  })
  const { roles } = await call<{ roles: { id: string }[] }>('GET', '/roles?name=admin')
  const [role] = roles
  if (role === undefined) throw new Fault('not-found', 'Identity has no role admin.')
  for (const [name, password] of Object.entries(users)) {
    const created = await call<{ user: { id: string } }>('POST', '/users', {
      user: { name, password, domain_id: 'default' },
    })
    await call('PUT', `/projects/${project.id}/users/${created.user.id}/roles/${role.id}`)
  }
  for (const { name, type, description, path } of catalog) {
    const created = await call<{ service: { id: string } }>('POST', '/services', {
      service: { name, type, description },
    })
    for (const kind of ['public', 'internal', 'admin']) {
      const endpoint = { service_id: created.service.id, interface: kind, region_id: 'RegionOne' }
      await call('POST', '/endpoints', { endpoint: { ...endpoint, url: `http://${controller}${path}` } })
    }
  }
}

const ports: Readonly<Record<ApiName, number>> = {
  identity: 5000,
  image: 9292,
  placement: 8778,
  compute: 8774,
  network: 9696,
}

try {
  const registration = JSON.parse(await text(process.stdin)) as Registration
  const { controller, adminPassword, firstThings } = registration
  const send = (api: ApiName) => sendByHttp(`http://${controller}:${ports[api]}`)
  const sends = {
    identity: send('identity'),
    image: send('image'),
    placement: send('placement'),
    compute: send('compute'),
    network: send('network'),
  }
  const admin = await adminClient(sends, adminPassword)
  if (firstThings === undefined) await register(admin, registration)
  else {
    const { imageFile, directory, providerCidr } = firstThings
    const administrator = { username: 'admin', password: adminPassword, projectName: 'admin' }
    await firstStart({
      stateDir: directory,
      admin,
      providerCidr,
      guestImage: async () => ({
        name: 'kilonova',
        file: imageFile,
        diskFormat: 'qcow2',
        properties: { hw_rng_model: 'virtio' },
      }),
      upload: uploadBy(sends.image, passwordAuthenticator(sends.identity, administrator)),
      onProgress: () => undefined,
    })
  }
} catch (error) {
  console.error(isFault(error) ? describeError(error) : error)
  process.exitCode = 1
}
