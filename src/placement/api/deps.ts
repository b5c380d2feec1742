import type { ApiRequest, Route } from '../../base/http/route.ts'
import type { CandidateSettings } from '../candidates/request.ts'
import type { ProviderSnapshot } from '../candidates/snapshot.ts'
import type { PlacementDatabase } from '../store/tables.ts'

export interface PlacementSettings extends CandidateSettings {
  /** For allocations written before microversion 1.8, which name no project or user. */
  incompleteProjectId: string
  incompleteUserId: string
  /** How often a claim is tried when others change the same providers. */
  conflictAttempts: number
}

/** What the handlers of placement's API work with. */
export interface PlacementDeps {
  db: PlacementDatabase
  snapshot: ProviderSnapshot
  settings: PlacementSettings
}

export type PlacementRoute = Route<PlacementDeps>
export type Request<Body = unknown> = ApiRequest<Body>
