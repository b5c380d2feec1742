/** A read of many things by their keys, for callers who ask for a few each. */
type Read<P extends object | string, K, V> = (place: P, keys: readonly K[]) => Promise<ReadonlyMap<K, V>>

interface Asker<K, V> {
  keys: readonly K[]
  resolve(found: ReadonlyMap<K, V>): void
  reject(error: unknown): void
}

/** Who asks for more reads alone: nobody who wants little shall wait for a long list. */
const few = 20

/**
 * Makes of a read one that asks for all who wait at once: while it is under way at a place (a database, a token),
 * whoever asks waits for it to end, and then one read serves all who waited. A read begins only after each who is served
 * by it has asked, so nobody is shown what was true before; who is alone waits for no more than what has arrived by then.
 * What is found may hold more than an asker's own keys, and is shared: nobody may change it.
 */
export function gathered<P extends object | string, K, V>(read: Read<P, K, V>): Read<P, K, V> {
  /** Who waits at a place where a read is under way, or is about to begin. */
  const waiting = new Map<P, Asker<K, V>[]>()

  function goOn(place: P): void {
    const askers = waiting.get(place)!
    if (askers.length === 0) {
      waiting.delete(place)
      return
    }
    waiting.set(place, [])
    void readFor(place, askers).finally(() => goOn(place))
  }

  async function readFor(place: P, askers: readonly Asker<K, V>[]): Promise<void> {
    const [first, ...others] = askers as [Asker<K, V>, ...Asker<K, V>[]]
    const keys = others.length === 0 ? first.keys : [...new Set(askers.flatMap((asker) => asker.keys))]
    try {
      const found = await read(place, keys)
      for (const asker of askers) asker.resolve(found)
    } catch (error) {
      if (others.length === 0) first.reject(error)
      // What one asked for may be the reason: it is no fault of the others.
      else await Promise.all(askers.map((asker) => readFor(place, [asker])))
    }
  }

  return async (place, keys) => {
    if (keys.length > few) return await read(place, keys)
    return await new Promise((resolve, reject) => {
      const asker = { keys, resolve, reject }
      const others = waiting.get(place)
      if (others !== undefined) {
        others.push(asker)
        return
      }
      waiting.set(place, [asker])
      // Whose requests arrived together ask together: the first of them would read for himself alone.
      setImmediate(() => goOn(place))
    })
  }
}
