/** The options that a domain has set for itself. */
import type { Db } from '#base/db/database.ts'
import type { Tables } from './tables.ts'

/** An option and its value as JSON; that of a sensitive one is encrypted. */
export interface DomainOption {
  group: string
  option: string
  value: string
  sensitive: boolean
}

export interface OptionPath {
  group?: string | undefined
  option?: string | undefined
}

type ConfigTable = 'whitelisted_config' | 'sensitive_config'

/** All options of a domain, of one group, or one; in the order of their names. */
export async function listDomainOptions(
  db: Db<Tables>,
  domainId: string,
  path: OptionPath = {},
): Promise<DomainOption[]> {
  const found: DomainOption[] = []
  for (const table of ['whitelisted_config', 'sensitive_config'] as const) {
    let query = db
      .selectFrom(table)
      .select(['group', 'option', 'value'])
      .where('domain_id', '=', domainId)
      .orderBy('group')
      .orderBy('option')
    if (path.group !== undefined) query = query.where('group', '=', path.group)
    if (path.option !== undefined) query = query.where('option', '=', path.option)
    for (const row of await query.execute()) found.push({ ...row, sensitive: table === 'sensitive_config' })
  }
  return found
}

/** Sets these options; others stay as they are. */
export async function setDomainOptions(
  db: Db<Tables>,
  domainId: string,
  options: readonly DomainOption[],
): Promise<void> {
  for (const { group, option, value, sensitive } of options) {
    await removeDomainOptions(db, domainId, { group, option })
    const table: ConfigTable = sensitive ? 'sensitive_config' : 'whitelisted_config'
    await db.insertInto(table).values({ domain_id: domainId, group, option, value }).execute()
  }
}

/** Removes all options of a domain, of one group, or one. */
export async function removeDomainOptions(
  db: Db<Tables>,
  domainId: string,
  path: OptionPath = {},
): Promise<void> {
  for (const table of ['whitelisted_config', 'sensitive_config'] as const) {
    let query = db.deleteFrom(table).where('domain_id', '=', domainId)
    if (path.group !== undefined) query = query.where('group', '=', path.group)
    if (path.option !== undefined) query = query.where('option', '=', path.option)
    await query.execute()
  }
}
