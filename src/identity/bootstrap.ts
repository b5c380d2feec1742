/** What a cloud starts with: the default domain, the administrator, service users, roles and the catalog. */
import type { Kysely } from 'kysely'
import { type Clock, timestamp } from '#base/clock.ts'
import { inTransaction } from '#base/db/transaction.ts'
import { newHexId } from '#base/ids.ts'
import type { PasswordHasher } from './passwords.ts'
import { insertGrant, type Target } from './store/assignments.ts'
import {
  findRegion,
  insertEndpoint,
  insertRegion,
  insertService,
  listEndpoints,
  listServices,
  updateEndpoint,
} from './store/catalog.ts'
import { parseObject } from './store/extra.ts'
import { findProject, findProjectByName, insertProject } from './store/projects.ts'
import { findRoleByName, insertImplication, insertRole } from './store/roles.ts'
import { globalRole, rootDomain, type Tables } from './store/tables.ts'
import { findUserByName, insertUser, setPassword } from './store/users.ts'

export interface BootstrapService {
  type: string
  name: string
  /** Interface → URL; `$(project_id)s` stands for the project of a token. */
  urls: { public?: string; internal?: string; admin?: string }
}

export interface Bootstrap {
  adminPassword: string
  /** Names of the first user, its project and its role; each is admin unless given. */
  admin?: { user: string; project: string; role: string }
  region: string
  services: readonly BootstrapService[]
  /** Name → password of the users that services call each other as. */
  serviceUsers: Readonly<Record<string, string>>
}

interface Deps {
  db: Kysely<Tables>
  passwords: PasswordHasher
  clock: Clock
}

const domainId = 'default'

/** Idempotent: what is there stays, except that URLs and passwords become those that are wanted. */
export async function bootstrapIdentity(deps: Deps, wanted: Bootstrap): Promise<void> {
  const { db } = deps
  const admin = wanted.admin ?? { user: 'admin', project: 'admin', role: 'admin' }
  // Hashes take long, and a transaction must not.
  const users = await Promise.all(
    Object.entries({ [admin.user]: wanted.adminPassword, ...wanted.serviceUsers }).map(
      async ([name, password]) => ({
        name,
        hash: await hashIfOther(deps, name, password),
      }),
    ),
  )
  await inTransaction(db, async (transaction) => {
    await ensureDomain(transaction)
    const adminProject = await ensureProject(
      transaction,
      admin.project,
      'Bootstrap project for initializing the cloud.',
    )
    // Where services have no users yet, who makes these makes their project: the guides' next command does.
    const hasUsers = Object.keys(wanted.serviceUsers).length > 0
    const serviceProject = hasUsers
      ? await ensureProject(transaction, 'service', 'Services of the cloud.')
      : undefined
    const roles = await ensureRoles(transaction, admin.role)
    for (const { name, hash } of users) {
      const userId = await ensureUser(transaction, name, hash, timestamp(deps.clock))
      const grant = (target: Target, role: string) =>
        insertGrant(transaction, {
          actor: { kind: 'user', id: userId },
          target,
          roleId: roles[role]!,
          inherited: false,
        })
      if (name === admin.user) {
        await grant({ kind: 'project', id: adminProject }, admin.role)
        await grant({ kind: 'system' }, admin.role)
      } else if (serviceProject !== undefined) {
        await grant({ kind: 'project', id: serviceProject }, 'admin')
        await grant({ kind: 'project', id: serviceProject }, 'service')
      }
    }
    if ((await findRegion(transaction, wanted.region)) === undefined) {
      await insertRegion(transaction, {
        id: wanted.region,
        description: '',
        parent_region_id: null,
        extra: '{}',
      })
    }
    for (const service of wanted.services) await ensureService(transaction, service, wanted.region)
  })
}

async function hashIfOther(deps: Deps, name: string, password: string): Promise<string | undefined> {
  const user = await findUserByName(deps.db, name, domainId)
  if (user !== undefined && (await deps.passwords.verify(password, user.password_hash))) return undefined
  return deps.passwords.hash(password)
}

type Transaction = Parameters<typeof insertProject>[0]

async function ensureDomain(db: Transaction): Promise<void> {
  if ((await findProject(db, domainId)) !== undefined) return
  await insertProject(db, {
    id: domainId,
    name: 'Default',
    domain_id: rootDomain,
    parent_id: null,
    is_domain: 1,
    description: 'The default domain',
    enabled: 1,
    extra: '{}',
    options: '{}',
  })
}

async function ensureProject(db: Transaction, name: string, description: string): Promise<string> {
  const known = await findProjectByName(db, name, domainId)
  if (known !== undefined) return known.id
  const id = newHexId()
  await insertProject(db, {
    id,
    name,
    domain_id: domainId,
    parent_id: domainId,
    is_domain: 0,
    description,
    enabled: 1,
    extra: '{}',
    options: '{}',
  })
  return id
}

async function ensureRoles(db: Transaction, adminRole: string): Promise<Record<string, string>> {
  const ids: Record<string, string> = {}
  for (const name of new Set(['admin', 'manager', 'member', 'reader', 'service', adminRole])) {
    const known = await findRoleByName(db, name)
    ids[name] = known?.id ?? newHexId()
    if (known !== undefined) continue
    await insertRole(db, {
      id: ids[name],
      name,
      domain_id: globalRole,
      description: null,
      extra: '{}',
      options: '{}',
    })
  }
  for (const [prior, implied] of [
    ['admin', 'manager'],
    ['manager', 'member'],
    ['member', 'reader'],
  ] as const) {
    await insertImplication(db, ids[prior]!, ids[implied]!)
  }
  return ids
}

async function ensureUser(
  db: Transaction,
  name: string,
  hash: string | undefined,
  now: string,
): Promise<string> {
  const known = await findUserByName(db, name, domainId)
  const password = hash === undefined ? undefined : { hash, at: now }
  if (known !== undefined) {
    if (password !== undefined) await setPassword(db, known.id, password)
    return known.id
  }
  const id = newHexId()
  const row = { id, name, domain_id: domainId, enabled: 1, default_project_id: null, created_at: now }
  await insertUser(db, { ...row, extra: '{}', options: '{}' }, password)
  return id
}

async function ensureService(db: Transaction, wanted: BootstrapService, region: string): Promise<void> {
  const services = await listServices(db, { type: wanted.type })
  const known = services.find((service) => parseObject(service.extra)['name'] === wanted.name)
  const id = known?.id ?? newHexId()
  if (known === undefined) {
    const extra = JSON.stringify({ name: wanted.name })
    await insertService(db, { id, type: wanted.type, enabled: 1, extra })
  }
  for (const [kind, url] of Object.entries(wanted.urls)) {
    if (url === undefined) continue
    const [endpoint] = await listEndpoints(db, { serviceId: id, interface: kind, regionId: region })
    if (endpoint === undefined) {
      const row = { id: newHexId(), service_id: id, interface: kind, region_id: region, url }
      await insertEndpoint(db, { ...row, enabled: 1, extra: '{}' })
    } else if (endpoint.url !== url) await updateEndpoint(db, endpoint.id, { url })
  }
}
