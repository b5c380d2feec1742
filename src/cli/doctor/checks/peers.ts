/** Whose the services are that this host's programs meet: versions, and what is spoken between nova's and neutron's programs. */

import { type Finding, warning } from '../finding.ts'
import type { ProgramHere } from '../programs-here.ts'
import type { ServiceType, Whose } from '../service-at.ts'

/** What each kind of service speaks to its own programs on other hosts; all of it in oslo.messaging's form. */
const spoken: Partial<Record<ServiceType, { ours: string; original: string }>> = {
  compute: { ours: "Kilonova's", original: "nova's own" },
  network: { ours: "Kilonova's", original: "neutron's own, which Kilonova's agents speak to it, too" },
}

/** `Kilonova 0.1.0, API v2.1 with microversions 2.1 to 2.96, RPC: Kilonova's`. */
export function describePeer(type: ServiceType, { kilonova, api, microversions, release }: Whose): string {
  const program =
    kilonova === undefined ? `OpenStack${release ? ` (${release})` : ''}` : `Kilonova ${kilonova}`
  const rpc = spoken[type]
  return [
    program,
    `API ${api}${microversions === undefined ? '' : ` with microversions ${microversions}`}`,
    ...(rpc === undefined ? [] : [`RPC: ${kilonova === undefined ? rpc.original : rpc.ours}`]),
  ].join(', ')
}

const novaPrograms: readonly string[] = ['nova-compute', 'nova-conductor', 'nova-scheduler']

/** Nova's programs understand each other's RPC only when all are ours or all are OpenStack's. */
export function strangers(programs: readonly ProgramHere[], subject: string, whose: Whose): Finding[] {
  const here = programs.map(({ name }) => name as string).filter((name) => novaPrograms.includes(name))
  if (whose.kilonova !== undefined || here.length === 0) return []
  return [
    warning(
      subject,
      `it is OpenStack's nova, whose RPC ${here.join(' and ')} of this host ${here.length === 1 ? 'does' : 'do'} not speak`,
      'Run nova as a whole of one kind: docs/how-to/real-services.md tells which services can be swapped alone.',
    ),
  ]
}
