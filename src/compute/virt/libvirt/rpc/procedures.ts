/** The procedures of libvirt's remote program (0x20008086, version 1) that the driver calls, as data. */
import { domain, typedParameter } from './structs.ts'
import {
  type Carried,
  type Codec,
  charArray,
  hyper,
  int,
  list,
  nothing,
  nullable,
  struct,
  text,
  uint,
  uuid,
} from './xdr.ts'

const procedure = <A, R>(number: number, args: Codec<A>, reply: Codec<R>) => ({ number, args, reply })

const ofDomain = struct({ dom: domain })
const ofDomainWithFlags = struct({ dom: domain, flags: uint })

export const procedures = {
  authList: procedure(66, nothing, struct({ types: list(int) })),
  connectOpen: procedure(1, struct({ name: nullable(text), flags: uint }), nothing),
  connectClose: procedure(2, nothing, nothing),
  connectGetType: procedure(3, nothing, struct({ type: text })),
  connectGetVersion: procedure(4, nothing, struct({ version: hyper })),
  connectGetLibVersion: procedure(157, nothing, struct({ version: hyper })),
  connectGetHostname: procedure(59, nothing, struct({ hostname: text })),
  connectGetCapabilities: procedure(7, nothing, struct({ capabilities: text })),
  connectGetDomainCapabilities: procedure(
    342,
    struct({
      emulator: nullable(text),
      arch: nullable(text),
      machine: nullable(text),
      virtType: nullable(text),
      flags: uint,
    }),
    struct({ capabilities: text }),
  ),
  nodeGetInfo: procedure(
    6,
    nothing,
    struct({
      model: charArray(32),
      memoryKib: hyper,
      cpus: int,
      mhz: int,
      nodes: int,
      sockets: int,
      cores: int,
      threads: int,
    }),
  ),
  connectListAllDomains: procedure(
    273,
    struct({ needResults: int, flags: uint }),
    struct({ domains: list(domain), count: uint }),
  ),
  connectGetAllDomainStats: procedure(
    344,
    struct({ domains: list(domain), stats: uint, flags: uint }),
    struct({ records: list(struct({ dom: domain, params: list(typedParameter) })) }),
  ),
  connectDomainEventCallbackRegisterAny: procedure(
    316,
    struct({ event: int, dom: nullable(domain) }),
    struct({ callback: int }),
  ),
  connectDomainEventCallbackDeregisterAny: procedure(317, struct({ callback: int }), nothing),

  domainLookupByName: procedure(23, struct({ name: text }), struct({ dom: domain })),
  domainLookupByUuid: procedure(24, struct({ uuid }), struct({ dom: domain })),
  domainDefineXmlFlags: procedure(350, struct({ xml: text, flags: uint }), struct({ dom: domain })),
  domainUndefineFlags: procedure(231, ofDomainWithFlags, nothing),
  domainCreateWithFlags: procedure(196, ofDomainWithFlags, struct({ dom: domain })),
  domainResume: procedure(28, ofDomain, nothing),
  domainSuspend: procedure(34, ofDomain, nothing),
  domainShutdownFlags: procedure(258, ofDomainWithFlags, nothing),
  domainDestroyFlags: procedure(234, ofDomainWithFlags, nothing),
  domainReboot: procedure(27, ofDomainWithFlags, nothing),
  domainReset: procedure(245, ofDomainWithFlags, nothing),
  domainManagedSave: procedure(182, ofDomainWithFlags, nothing),
  domainManagedSaveRemove: procedure(184, ofDomainWithFlags, nothing),
  domainHasManagedSaveImage: procedure(183, ofDomainWithFlags, struct({ result: int })),
  domainGetState: procedure(212, ofDomainWithFlags, struct({ state: int, reason: int })),
  domainGetXmlDesc: procedure(14, ofDomainWithFlags, struct({ xml: text })),
  domainGetInfo: procedure(
    16,
    ofDomain,
    struct({ state: uint, maxMemoryKib: hyper, memoryKib: hyper, vcpus: uint, cpuTimeNs: hyper }),
  ),
  domainMemoryStats: procedure(
    159,
    struct({ dom: domain, maxStats: uint, flags: uint }),
    struct({ stats: list(struct({ tag: int, value: hyper })) }),
  ),
  domainGetJobInfo: procedure(
    163,
    ofDomain,
    struct({
      type: int,
      timeElapsed: hyper,
      timeRemaining: hyper,
      dataTotal: hyper,
      dataProcessed: hyper,
      dataRemaining: hyper,
      memoryTotal: hyper,
      memoryProcessed: hyper,
      memoryRemaining: hyper,
      fileTotal: hyper,
      fileProcessed: hyper,
      fileRemaining: hyper,
    }),
  ),
} as const

export type ProcedureName = keyof typeof procedures
export type Args<P extends ProcedureName> = Carried<(typeof procedures)[P]['args']>
export type Reply<P extends ProcedureName> = Carried<(typeof procedures)[P]['reply']>

/** What libvirtd sends unasked, by procedure number. */
export const lifecycleMessage = {
  number: 318,
  body: struct({ callback: int, dom: domain, event: int, detail: int }),
}
export type LifecycleMessage = Carried<typeof lifecycleMessage.body>
