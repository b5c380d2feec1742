/** What a conductor is told: by the API that there is work, by agents how their hosts are. */
import { type Static, Type } from 'typebox'
import { defineRpc, type RpcClient } from '../../base/bus/rpc.ts'

export const PowerStateName = Type.Union([
  Type.Literal('nostate'),
  Type.Literal('running'),
  Type.Literal('paused'),
  Type.Literal('shutdown'),
  Type.Literal('crashed'),
  Type.Literal('suspended'),
])

export const ExternalEvent = Type.Object({
  /** `network-vif-plugged`, `network-vif-unplugged`, `network-changed`, `network-vif-deleted`, … */
  name: Type.String(),
  serverUuid: Type.String(),
  /** `completed` or `failed`. */
  status: Type.String(),
  /** For network events the port's id. */
  tag: Type.Union([Type.String(), Type.Null()]),
})
export type ExternalEvent = Static<typeof ExternalEvent>

const HostReport = Type.Object({
  host: Type.String(),
  hostIp: Type.String(),
  hypervisorType: Type.String(),
  hypervisorVersion: Type.Number(),
  hypervisorHostname: Type.String(),
  cpuInfo: Type.String(),
  vcpus: Type.Number(),
  memoryMb: Type.Number(),
  localGb: Type.Number(),
  traits: Type.Array(Type.String()),
  /** Why no guest can run there: its service is disabled while that is so. */
  unfit: Type.Optional(Type.String()),
})
export type HostReport = Static<typeof HostReport>

const Guest = Type.Object({ uuid: Type.String(), name: Type.String(), power: PowerStateName })

export const conductorRpc = defineRpc('conductor', {
  /** A flow was opened on a subject. */
  wake: { args: Type.Object({ subject: Type.String() }) },
  /** A flow on a subject was cancelled, or another waits behind it: whoever runs it must look. */
  cancelled: { args: Type.Object({ subject: Type.String() }), fanout: true },
  /** Network wired these ports, or could not: whichever conductor builds their servers waits for it. */
  portsPlugged: {
    args: Type.Object({ ports: Type.Array(Type.Object({ id: Type.String(), succeeded: Type.Boolean() })) }),
    fanout: true,
  },
  /** All that other services tell of servers, but for ports that were wired. */
  externalEvents: { args: Type.Object({ events: Type.Array(ExternalEvent) }) },
  /** Services were enabled or disabled, aggregates changed: what schedulers remember of hosts is out of date. */
  hostsChanged: { args: Type.Object({}), fanout: true },

  /** What these hosts have; on start and when it changed. */
  hostsStarted: { args: Type.Object({ hosts: Type.Array(HostReport) }), reply: Type.Object({}) },
  /** The compute services of these hosts live; the reply names those of which nobody knows what they have. */
  reportHosts: {
    args: Type.Object({ hosts: Type.Array(Type.String()) }),
    reply: Type.Object({ unknown: Type.Array(Type.String()) }),
  },
  /** A guest changed its power state by itself. */
  powerChanged: {
    args: Type.Object({ host: Type.String(), uuid: Type.String(), power: PowerStateName }),
  },
  /** All the guests of a host, and what it has files of; the reply names what belongs to no instance there. */
  syncGuests: {
    args: Type.Object({
      host: Type.String(),
      guests: Type.Array(Guest),
      remnants: Type.Optional(Type.Array(Type.String())),
    }),
    reply: Type.Object({ leftovers: Type.Array(Type.String()) }),
  },
})

export type ConductorClient = RpcClient<typeof conductorRpc.methods>
