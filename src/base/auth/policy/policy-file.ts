import { isMap, isScalar, LineCounter, parseDocument } from 'yaml'
import { Fault } from '../../errors.ts'

/** Rule texts by name, each with where it was written: `policy.yaml:12`. */
export type PolicyOverrides = ReadonlyMap<string, { text: string; where: string }>

/** Reads a `policy.yaml` (or .json, which is YAML too): a mapping of rule names to rules. */
export function readPolicyFile(path: string, content: string): PolicyOverrides {
  const lines = new LineCounter()
  const document = parseDocument(content, { lineCounter: lines, uniqueKeys: true })
  const at = (offset: number): string => `${path}:${lines.linePos(offset).line}`
  const [error] = document.errors
  if (error !== undefined) throw new Fault('invalid', `${at(error.pos[0])}: ${error.message.split('\n')[0]}`)
  const overrides = new Map<string, { text: string; where: string }>()
  if (document.contents === null) return overrides
  if (!isMap(document.contents))
    throw new Fault('invalid', `${path}:1: a policy file maps rule names to rules.`)
  for (const { key, value } of document.contents.items) {
    const where = at(isScalar(key) ? (key.range?.[0] ?? 0) : 0)
    const text = isScalar(value) ? (value.value ?? '') : undefined
    if (!isScalar(key) || typeof text !== 'string') {
      throw new Fault('invalid', `${where}: the rule of ${String(key)} must be one string.`)
    }
    overrides.set(String(key.value), { text, where })
  }
  return overrides
}
