/** The attributes that a caller made up: keystone keeps them beside a resource's own and shows them with it. */

/** What is in `body` beyond the resource's own fields, as JSON for the `extra` column. */
export function extraOf(body: Readonly<Record<string, unknown>>, own: readonly string[]): string {
  const entries = Object.entries(body).filter(([key]) => !own.includes(key) && key !== 'links')
  return JSON.stringify(Object.fromEntries(entries))
}

/** `extra` after an update: what is new replaces or joins what was there. */
export function mergedExtra(
  stored: string,
  body: Readonly<Record<string, unknown>>,
  own: readonly string[],
): string {
  return JSON.stringify({ ...parseObject(stored), ...parseObject(extraOf(body, own)) })
}

export const parseObject = (json: string): Record<string, unknown> => JSON.parse(json)

/** Options that are set to null are taken away. */
export function mergedOptions(stored: string, change: unknown): string {
  const options = { ...parseObject(stored), ...(change as Record<string, unknown> | undefined) }
  return JSON.stringify(Object.fromEntries(Object.entries(options).filter(([, value]) => value !== null)))
}
