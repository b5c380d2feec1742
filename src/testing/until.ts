import { sleep } from '../base/clock.ts'

/** Only against a test that would never end: nothing a test asserts takes so long. */
const patienceMilliseconds = 30_000

/** Asks again and again until there is an answer. */
export async function until<T>(
  ask: () => Promise<T | undefined>,
  what: string,
  patience = patienceMilliseconds,
): Promise<T> {
  const end = Date.now() + patience
  while (Date.now() < end) {
    const answer = await ask()
    if (answer !== undefined) return answer
    await sleep(5)
  }
  throw new Error(`waited in vain for ${what}`)
}
