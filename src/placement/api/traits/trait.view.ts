import type { Trait } from '../../store/traits.ts'
import type { Request } from '../deps.ts'
import { setModified } from '../request.ts'

/** The names of traits, with the headers that tell when the newest was made. */
export function traitsView(request: Request, traits: readonly Trait[]): { traits: string[] } {
  setModified(
    request,
    traits.map((trait) => trait.updatedAt ?? trait.createdAt),
  )
  return { traits: traits.map((trait) => trait.name) }
}
