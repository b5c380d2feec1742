import { findCandidates } from '../../candidates/search.ts'
import type { PlacementDeps, PlacementRoute, Request } from '../deps.ts'
import { setModified } from '../request.ts'
import { candidatesView } from './candidate.view.ts'
import { candidatesQuery, readCandidatesRequest } from './query.ts'

export const candidateRoutes: readonly PlacementRoute[] = [
  {
    get: '/allocation_candidates',
    policy: 'placement:allocation_candidates:list',
    since: '1.10',
    query: candidatesQuery,
    handler: listCandidates,
  },
]

async function listCandidates(request: Request, deps: PlacementDeps): Promise<unknown> {
  const asked = readCandidatesRequest(request)
  const providers = await deps.snapshot.current()
  const candidates = findCandidates(providers, asked, deps.settings)
  setModified(request)
  return candidatesView(request, asked, candidates, providers)
}
