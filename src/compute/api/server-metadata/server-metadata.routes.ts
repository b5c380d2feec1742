import { inTransaction } from '../../../base/db/transaction.ts'
import { Fault } from '../../../base/errors.ts'
import type { Route } from '../../../base/http/route.ts'
import { readMetadata, setMetadata } from '../../store/instance-changes.ts'
import type { Instance } from '../../store/instance-records.ts'
import { getInstance, lockInstance } from '../../store/instances.ts'
import type { CellDeps } from '../deps.ts'
import { limitsOf } from '../quotas/limits.ts'
import { Metadata, MetadataItem, wrapped } from '../schema-types.ts'
import { assertState, onServer, type Request, settledStates } from '../servers/server-route.ts'

type Pairs = Record<string, string>

const path = '/servers/:id/metadata'
const rule = (name: string) => `os_compute_api:server-metadata:${name}`
const allBody = wrapped('metadata', Metadata)
const oneBody = wrapped('meta', MetadataItem)
const respectsLock = true

export const serverMetadataRoutes: readonly Route<CellDeps>[] = [
  onServer({ get: path, policy: rule('index'), handler: (_request, _deps, { metadata }) => ({ metadata }) }),
  onServer({ get: `${path}/:key`, policy: rule('show'), handler: show }),
  onServer({
    post: path,
    policy: rule('create'),
    body: allBody,
    respectsLock,
    handler: async (request, deps, instance) => ({
      metadata: await change(deps, instance, (held) => ({ ...held, ...all(request) })),
    }),
  }),
  onServer({
    put: path,
    policy: rule('update_all'),
    body: allBody,
    respectsLock,
    handler: async (request, deps, instance) => ({
      metadata: await change(deps, instance, () => all(request)),
    }),
  }),
  onServer({ put: `${path}/:key`, policy: rule('update'), body: oneBody, respectsLock, handler: update }),
  onServer({ delete: `${path}/:key`, policy: rule('delete'), respectsLock, handler: remove }),
]

const all = (request: Request): Pairs => (request.body as { metadata: Pairs }).metadata
const missing = () => new Fault('not-found', 'Metadata item was not found')

function show(request: Request, _deps: CellDeps, { metadata }: Instance) {
  const key = request.params['key']!
  const value = metadata[key]
  if (value === undefined) throw missing()
  return { meta: { [key]: value } }
}

async function update(request: Request, deps: CellDeps, instance: Instance) {
  const { meta } = request.body as { meta: Pairs }
  if (!(request.params['key']! in meta)) throw new Fault('invalid', 'Request body and URI mismatch')
  await change(deps, instance, (held) => ({ ...held, ...meta }))
  return { meta }
}

async function remove(request: Request, deps: CellDeps, instance: Instance): Promise<void> {
  const key = request.params['key']!
  if (instance.metadata[key] === undefined) throw missing()
  const without = ({ [key]: _removed, ...rest }: Pairs): Pairs => rest
  await change(deps, instance, without, 'delete metadata')
}

/** Changes what the server holds when it is its turn, so that of two who change it at once neither is lost. */
async function change(
  deps: CellDeps,
  instance: Instance,
  alter: (held: Pairs) => Pairs,
  doing = 'update metadata',
): Promise<Pairs> {
  const { db } = assertState(instance, doing, settledStates, { idle: true })
  const limit = (await limitsOf(deps.apiDb, deps.config, instance.project_id)).metadata_items
  await inTransaction(db, async (transaction) => {
    await lockInstance(transaction, instance.uuid)
    const metadata = alter(await readMetadata(transaction, instance.uuid))
    if (limit >= 0 && Object.keys(metadata).length > limit) {
      throw new Fault('over-quota', `Maximum number of metadata items exceeds ${limit}`)
    }
    await setMetadata(transaction, instance.uuid, metadata)
  })
  return (await getInstance(deps, instance.uuid)).metadata
}
