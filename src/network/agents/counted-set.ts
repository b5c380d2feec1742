/** A set that several want something in: it says when the first one put it there, and when the last one took it away. */
export class CountedSet {
  readonly #counts = new Map<string, number>()

  get size(): number {
    return this.#counts.size
  }

  /** True when nobody wanted it before. */
  add(item: string): boolean {
    const count = this.#counts.get(item) ?? 0
    this.#counts.set(item, count + 1)
    return count === 0
  }

  /** True when nobody wants it any more. */
  delete(item: string): boolean {
    const count = this.#counts.get(item) ?? 0
    if (count > 1) this.#counts.set(item, count - 1)
    else this.#counts.delete(item)
    return count === 1
  }

  keys(): MapIterator<string> {
    return this.#counts.keys()
  }
}
