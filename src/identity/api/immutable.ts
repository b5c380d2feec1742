import { Fault } from '#base/errors.ts'
import { parseObject } from '../store/extra.ts'

/** Options of projects, domains and roles: one that is immutable can only be made mutable again. */
export const resourceOptionsSchema = {
  type: 'object',
  properties: { immutable: { type: ['boolean', 'null'] } },
  additionalProperties: false,
}

/** Throws `forbidden` where the option forbids it. */
export function assertMutable(
  what: string,
  row: { id: string; options: string },
  change?: { options?: unknown },
): void {
  if (parseObject(row.options)['immutable'] !== true) return
  const wanted = (change?.options as { immutable?: boolean | null } | undefined)?.immutable
  if (change !== undefined && (wanted === false || wanted === null)) return
  const verb = change === undefined ? 'delete' : 'update'
  throw new Fault(
    'forbidden',
    `Unable to ${verb} immutable ${what} resource: \`${row.id}. Set resource option "immutable" to false first.`,
  )
}
