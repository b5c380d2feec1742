import { Type } from 'typebox'
import { inTransaction } from '../../../base/db/transaction.ts'
import { Fault } from '../../../base/errors.ts'
import { deleteTrait, ensureTrait, getTrait, listTraits, type TraitFilter } from '../../store/traits.ts'
import type { PlacementDeps, PlacementRoute, Request } from '../deps.ts'
import { lastOf, Repeatable } from '../query.ts'
import { setLocation, setModified } from '../request.ts'
import { traitsView } from './trait.view.ts'

const since = '1.6'
const listQuery = Type.Object(
  { name: Type.Optional(Repeatable()), associated: Type.Optional(Repeatable()) },
  { additionalProperties: false },
)

export const traitRoutes: readonly PlacementRoute[] = [
  { get: '/traits', policy: 'placement:traits:list', since, query: listQuery, handler: list },
  { get: '/traits/:name', policy: 'placement:traits:show', since, handler: show },
  { put: '/traits/:name', policy: 'placement:traits:update', since, handler: put },
  { delete: '/traits/:name', policy: 'placement:traits:delete', since, handler: remove },
]

async function list(request: Request, deps: PlacementDeps): Promise<unknown> {
  return traitsView(request, await listTraits(deps.db, readFilter(request)))
}

function readFilter(request: Request): TraitFilter {
  const filter: TraitFilter = {}
  const name = lastOf(request, 'name')
  if (name !== undefined) {
    const [, operator, value] = /^([^:]*):(.*)$/s.exec(name) ?? []
    if (operator === undefined) {
      throw new Fault(
        'invalid',
        `Badly formatted name parameter. Expected name query string parameter in form: ?name=[in|startswith]:[name1,name2|prefix]. Got: "${name}"`,
      )
    }
    if (operator === 'in') filter.names = value!.split(',')
    if (operator === 'startswith') filter.prefix = value!
  }
  const associated = lastOf(request, 'associated')?.toLowerCase()
  if (associated !== undefined) {
    if (associated !== 'true' && associated !== 'false')
      throw new Fault('invalid', 'The query parameter "associated" only accepts "true" or "false"')
    filter.associated = associated === 'true'
  }
  return filter
}

async function show(request: Request, deps: PlacementDeps): Promise<undefined> {
  const trait = await getTrait(deps.db, request.params['name']!)
  setModified(request, [trait.createdAt])
}

async function put(request: Request, deps: PlacementDeps): Promise<undefined> {
  const name = request.params['name']!
  if (!/^CUSTOM_[A-Z0-9_]+$/.test(name) || name.length > 255) {
    throw new Fault(
      'invalid',
      'The trait is invalid. A valid trait must be no longer than 255 characters, start with the prefix "CUSTOM_" and use following characters: "A"-"Z", "0"-"9" and "_"',
    )
  }
  const { trait, created } = await inTransaction(deps.db, (transaction) => ensureTrait(transaction, name))
  request.setStatus(created ? 201 : 204)
  setLocation(request, `/traits/${name}`)
  setModified(request, [trait.createdAt])
}

async function remove(request: Request, deps: PlacementDeps): Promise<undefined> {
  await inTransaction(deps.db, (transaction) => deleteTrait(transaction, request.params['name']!))
}
