/** The name that was probably meant. */
import { distance } from 'fastest-levenshtein'

/** The nearest of these names, if one is near enough for a slip of the hand. */
export function nearest(name: string, names: Iterable<string>): string | undefined {
  const most = Math.min(3, Math.max(1, Math.floor(name.length / 3)))
  let best: { name: string; far: number } | undefined
  for (const other of names) {
    const far = squeezed(name) === squeezed(other) ? 0.5 : distance(name, other)
    if (far <= most && far < (best?.far ?? Number.POSITIVE_INFINITY)) best = { name: other, far }
  }
  return best?.name
}

// A dash for an underscore, a lost one, or capitals are one slip however many places they are in.
const squeezed = (name: string): string => name.toLowerCase().replace(/[-_ ]/g, '')
