import { randomBytes } from 'node:crypto'
import { Fault } from '#base/errors.ts'
import { newHexId } from '#base/ids.ts'
import { extraOf, mergedExtra, parseObject } from '../../store/extra.ts'
import {
  type ConsumerRow,
  getConsumer,
  insertConsumer,
  listConsumers,
  removeConsumer,
  updateConsumer,
} from '../../store/oauth1.ts'
import { collection } from '../collection.ts'
import type { IdentityRequest, IdentityRoute } from '../identity-route.ts'
import { creation, Nullable, Text, update } from '../schemas.ts'

interface ConsumerBody {
  id?: string
  description?: string | null
  [extra: string]: unknown
}

const own = ['id', 'description', 'secret']
const properties = { description: Nullable(Text) }
const all = '/v3/OS-OAUTH1/consumers'
const one = `${all}/:consumer_id`

/** Without the secret, which is shown once, to whom the consumer is made for. */
function consumerView(origin: string, row: ConsumerRow): Record<string, unknown> {
  return {
    ...parseObject(row.extra),
    id: row.id,
    description: row.description,
    links: { self: `${origin}${all}/${row.id}` },
  }
}

export const consumerRoutes: readonly IdentityRoute[] = [
  {
    get: all,
    rule: 'identity:list_consumers',
    async handler(request, deps) {
      const rows = await listConsumers(deps.db)
      return collection(
        request,
        'consumers',
        rows.map((row) => consumerView(request.origin, row)),
      )
    },
  },
  {
    get: one,
    rule: 'identity:get_consumer',
    async handler(request, deps) {
      const row = await getConsumer(deps.db, request.params['consumer_id']!)
      return { consumer: consumerView(request.origin, row) }
    },
  },
  {
    post: all,
    rule: 'identity:create_consumer',
    body: { key: 'consumer', schema: creation(properties, []) },
    status: 201,
    leavesTokens: true,
    async handler(request: IdentityRequest<{ consumer?: ConsumerBody }>, deps) {
      const body = request.body.consumer ?? {}
      const secret = randomBytes(16).toString('hex')
      const row: ConsumerRow = {
        id: newHexId(),
        description: body.description ?? null,
        secret: deps.cipher.encrypt(secret),
        extra: extraOf(body, own),
      }
      await insertConsumer(deps.db, row)
      return { consumer: { ...consumerView(request.origin, row), secret } }
    },
  },
  {
    patch: one,
    rule: 'identity:update_consumer',
    body: { key: 'consumer', schema: update(properties) },
    leavesTokens: true,
    async handler(request: IdentityRequest<{ consumer: ConsumerBody }>, deps) {
      const row = await getConsumer(deps.db, request.params['consumer_id']!)
      const body = request.body.consumer
      if (body['secret'] !== undefined) throw new Fault('invalid', "A consumer's secret cannot be changed.")
      if (body.id !== undefined && body.id !== row.id) throw new Fault('invalid', 'Cannot change consumer ID')
      await updateConsumer(deps.db, row.id, {
        ...(body.description === undefined ? {} : { description: body.description }),
        extra: mergedExtra(row.extra, body, own),
      })
      return { consumer: consumerView(request.origin, await getConsumer(deps.db, row.id)) }
    },
  },
  {
    delete: one,
    rule: 'identity:delete_consumer',
    async handler(request, deps) {
      const { id } = await getConsumer(deps.db, request.params['consumer_id']!)
      await removeConsumer(deps.db, id)
    },
  },
]
