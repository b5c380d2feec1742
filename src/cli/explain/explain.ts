/** `kilonova explain 'COMMAND'`. */
import { understand } from './understand.ts'

/** Exit code 0 also where something was put right: nothing is run. */
export async function explain(text: string): Promise<number> {
  const { command, slips } = understand(text)
  for (const { was, now, what } of slips) {
    console.log(`${what}:`)
    if (was !== '') console.log(`  - ${was}`)
    if (now !== '') console.log(`  + ${now}`)
  }
  console.log(slips.length === 0 ? 'Nothing looks pasted wrongly. It is:' : '\nWhat was meant:')
  console.log(`  ${command}`)
  return 0
}
