/** Numbers of libvirt's public interface, by the names its documentation uses. */

export const domainState = {
  noState: 0,
  running: 1,
  blocked: 2,
  paused: 3,
  shutdown: 4,
  shutoff: 5,
  crashed: 6,
  pmSuspended: 7,
} as const

export const domainEvent = {
  defined: 0,
  undefined: 1,
  started: 2,
  suspended: 3,
  resumed: 4,
  stopped: 5,
  shutdown: 6,
  pmSuspended: 7,
  crashed: 8,
} as const

/** Why a domain stopped: the detail of the event `stopped`. */
export const stoppedDetail = {
  shutdown: 0,
  destroyed: 1,
  crashed: 2,
  migrated: 3,
  saved: 4,
  failed: 5,
} as const

/** `VIR_DOMAIN_EVENT_ID_LIFECYCLE`. */
export const lifecycleEventId = 0

export const createFlags = { paused: 1, forceBoot: 8 } as const
export const shutdownFlags = { acpiPowerButton: 1 } as const
export const destroyFlags = { graceful: 1 } as const
/** Managed save image, snapshot and checkpoint metadata and NVRAM all go with the definition. */
export const undefineEverything = 1 | 2 | 4 | 16
/** `VIR_DOMAIN_STATS_STATE`. */
export const statsState = 1
export const listFlags = { managedSave: 1 << 8 } as const

export const errorCode = {
  noSupport: 3,
  domainExists: 28,
  systemError: 38,
  noDomain: 42,
  operationInvalid: 55,
} as const
