/** What the compute agent of a host is asked to do. Each is idempotent by the server's uuid. */
import { type Static, Type } from 'typebox'
import { defineRpc, type RpcClient } from '../../base/bus/rpc.ts'
import { PowerStateName } from './conductor.ts'

const StringMap = Type.Record(Type.String(), Type.String())

const Vif = Type.Object({
  portId: Type.String(),
  networkId: Type.String(),
  macAddress: Type.String(),
  mtu: Type.Number(),
  type: Type.Union([Type.Literal('bridge'), Type.Literal('unbound')]),
  bridgeName: Type.String(),
  devName: Type.String(),
})

/** A guest as it must be built; the hypervisor drivers' `GuestSpec`. */
export const Guest = Type.Object({
  uuid: Type.String(),
  name: Type.String(),
  displayName: Type.String(),
  projectId: Type.String(),
  userId: Type.String(),
  vcpus: Type.Number(),
  memoryMb: Type.Number(),
  rootGb: Type.Number(),
  ephemeralGb: Type.Number(),
  swapMb: Type.Number(),
  flavorName: Type.String(),
  extraSpecs: StringMap,
  image: Type.Union([
    Type.Object({ id: Type.String(), diskFormat: Type.String(), properties: StringMap }),
    Type.Null(),
  ]),
  vifs: Type.Array(Vif),
  configDrive: Type.Union([StringMap, Type.Null()]),
})
export type Guest = Static<typeof Guest>

const Power = Type.Object({ power: PowerStateName })
const ofGuest = Type.Object({ guest: Guest })
const ofUuid = Type.Object({ uuid: Type.String() })

/** An image may have to be fetched first. */
const spawnTimeoutSeconds = 1800

export const agentRpc = defineRpc('compute', {
  spawn: {
    args: Type.Object({ guest: Guest, paused: Type.Boolean() }),
    reply: Power,
    timeoutSeconds: spawnTimeoutSeconds,
  },
  /** Lets a guest run that was spawned paused. */
  release: { args: ofUuid, reply: Power },
  destroy: { args: ofUuid, reply: Type.Object({}), timeoutSeconds: 300 },
  /** The same for a host that is away: nobody waits, and the message is kept until it is back. */
  reap: { args: ofUuid },
  start: { args: ofGuest, reply: Power, timeoutSeconds: 300 },
  stop: {
    args: Type.Object({ uuid: Type.String(), timeoutSeconds: Type.Number() }),
    reply: Power,
    timeoutSeconds: 300,
  },
  reboot: {
    args: Type.Object({ guest: Guest, hard: Type.Boolean(), timeoutSeconds: Type.Number() }),
    reply: Power,
    timeoutSeconds: 300,
  },
  pause: { args: ofUuid, reply: Power },
  unpause: { args: ofUuid, reply: Power },
  suspend: { args: ofUuid, reply: Power, timeoutSeconds: 300 },
  resume: { args: ofGuest, reply: Power, timeoutSeconds: 300 },
  /** How a guest is now, after what is under way with it; null: there is none. */
  powerState: { args: ofUuid, reply: Type.Object({ power: Type.Union([PowerStateName, Type.Null()]) }) },
  consoleOutput: { args: ofUuid, reply: Type.Object({ output: Type.String() }) },
})

export type AgentClient = RpcClient<typeof agentRpc.methods>
