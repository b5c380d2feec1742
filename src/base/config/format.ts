/** Options and their values as they stand in files and documents. */
import type { Option } from './option.ts'

/** A value as oslo.config would read it; empty for none. */
export function formatValue(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (Array.isArray(value)) return value.map(formatValue).join(',')
  if (typeof value !== 'object') return String(value)
  return Object.entries(value)
    .map(([key, item]) => `${key}:${item}`)
    .join(',')
}

/** What holds when nothing is written, or in words what it depends on. */
export const formatDefault = (option: Option): string =>
  option.defaultText === undefined ? formatValue(option.default) : `<${option.defaultText}>`

/** A value without what nobody should read over a shoulder: of URLs the password, of secrets all. */
export function withoutSecret(option: Pick<Option, 'secret'>, value: string): string {
  if (option.secret !== true || value === '') return value
  return value.includes('://') ? value.replace(/(:\/\/[^:@/]*:)[^@/]*(?=@)/g, '$1***') : '***'
}
