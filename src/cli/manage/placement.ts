import type { Config } from '../../base/config/option.ts'
import { type clientsOptions, placementClientOf } from '../../compute/config-file/clients.ts'
import { type PlacementClient, placementClient } from '../../placement/client.ts'
import { identityAt, sendTo, tokenSourceOf } from '../daemons/clients.ts'

/** Placement as `[placement]` of nova.conf says: who we are there, and where it is. */
export function placementOf(config: Config<typeof clientsOptions>): PlacementClient {
  const settings = placementClientOf(config)
  const identity = identityAt('placement', settings)
  const token = tokenSourceOf('placement', settings, identity)
  return placementClient(sendTo({ type: 'placement', settings }, { identity, token }), token)
}
