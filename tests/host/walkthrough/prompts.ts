/** Runs a command that asks for passwords, which it does at a terminal only. */
import { once } from 'node:events'
import type { Holder } from '../../../src/cli/lab/namespaces.ts'
import { type Outcome, spawnOnHost } from '../../../src/cli/lab/on-host.ts'

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`

/** Gives one answer to each prompt that ends in `Password:`, once it is there: what comes earlier is thrown away. */
export async function answer(
  holder: Holder,
  command: readonly string[],
  answers: readonly string[],
): Promise<Outcome> {
  const line = command.map(quoted).join(' ')
  const child = spawnOnHost(holder, ['script', '--quiet', '--return', '--command', line, '/dev/null'])
  const left = [...answers]
  let stdout = ''
  let asked = 0
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk
    const prompts = stdout.match(/password:\s*/gi)?.length ?? 0
    for (; asked < prompts; asked++) child.stdin?.write(`${left.shift() ?? ''}\n`)
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code: code ?? 128, stdout: stdout.replaceAll('\r', ''), stderr: '' }
}
