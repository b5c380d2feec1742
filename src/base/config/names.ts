/** How options are named: `[group] name` in files, `group.name` where text is short, `OS_GROUP__NAME` in environments. */

export interface Named {
  readonly group?: string
  readonly name: string
}

export const groupOf = (option: Named): string => option.group ?? 'DEFAULT'

// oslo.config takes sections in any case, but for DEFAULT, and options only as they are called.
const normalGroup = (group: string): string => (group === 'DEFAULT' ? group : group.toLowerCase())

/** The key by which a setting finds its option. */
export const fullName = (option: Named): string => `${normalGroup(groupOf(option))}.${option.name}`

export const show = (option: Named): string => `[${groupOf(option)}] ${option.name}`

/** Of `name` or `group.name`. */
export function splitName(key: string, group = 'DEFAULT'): { group: string; name: string } {
  const at = key.indexOf('.')
  return at === -1 ? { group, name: key } : { group: key.slice(0, at), name: key.slice(at + 1) }
}

/** The environment variable that sets an option. */
export const variableOf = (option: Named): string => `OS_${groupOf(option)}__${option.name}`.toUpperCase()
