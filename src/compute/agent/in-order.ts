/** One thing at a time for each guest: what a dead conductor asked for may still be under way. */
export function inOrder(): <T>(uuid: string, work: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>()
  return async (uuid, work) => {
    const before = last.get(uuid)
    const run = (async () => {
      await before?.catch(() => undefined)
      return await work()
    })()
    last.set(uuid, run)
    try {
      return await run
    } finally {
      if (last.get(uuid) === run) last.delete(uuid)
    }
  }
}
