/** What a scheduler is asked and told by conductors. */
import { type Static, Type } from 'typebox'
import { defineRpc } from '../../base/bus/rpc.ts'

const Selection = Type.Object({
  host: Type.String(),
  node: Type.String(),
  nodeUuid: Type.String(),
  cellId: Type.Number(),
  availabilityZone: Type.String(),
})
export type Selection = Static<typeof Selection>

/** Placement may be slow while many servers are asked for at once. */
const selectTimeoutSeconds = 120

export const schedulerRpc = defineRpc('scheduler', {
  /** A host for the server of a request spec, its resources claimed. Chosen again for the same server, it is another claim. */
  select_destinations: {
    args: Type.Object({ spec: Type.Object({}), excludedHosts: Type.Array(Type.String()) }),
    reply: Selection,
    timeoutSeconds: selectTimeoutSeconds,
  },
  /** The server is where it was to go, or does not go there. */
  forget: { args: Type.Object({ instanceUuid: Type.String() }), fanout: true },
  /** How a build on a host ended: hosts on which builds fail are chosen last. */
  buildEnded: { args: Type.Object({ host: Type.String(), succeeded: Type.Boolean() }), fanout: true },
  /** Services were enabled or disabled, aggregates changed: what is remembered of hosts is out of date. */
  hostsChanged: { args: Type.Object({}), fanout: true },
})
