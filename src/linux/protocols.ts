/** Names of IP protocols as this host's tools print them. */
import { readFile } from 'node:fs/promises'
import { isMissing } from './files.ts'

/** Reads /etc/protocols; a host without that file prints numbers. */
export async function readProtocolNames(): Promise<Map<number, string>> {
  const text = await readFile('/etc/protocols', 'utf8').catch((error: unknown) => {
    if (isMissing(error)) return ''
    throw error
  })
  return parseProtocols(text)
}

/** The first name of each number; comments and aliases are skipped. */
export function parseProtocols(text: string): Map<number, string> {
  const names = new Map<number, string>()
  for (const line of text.split('\n')) {
    const [name, number] = line.replace(/#.*/, '').trim().split(/\s+/)
    if (name && number !== undefined && !names.has(Number(number))) names.set(Number(number), name)
  }
  return names
}
