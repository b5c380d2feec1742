/** What a lab is made of, and where it is written down. */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Fault } from '../../base/errors.ts'
import { newHexId } from '../../base/ids.ts'

export type HostRole = 'controller' | 'compute'

export interface HostPlan {
  name: string
  role: HostRole
  /** In the management network. */
  address: string
}

export type Database = 'mariadb' | 'postgresql'

export interface LabPlan {
  id: string
  database: Database
  hosts: readonly HostPlan[]
  /** Name of every host's interface in the management network. */
  managementInterface: string
  managementPrefix: number
  /** Name of every host's interface, without an address, on the switch that guests' flat network is on. */
  providerInterface: string
  /** The provider network's router, in the switch: `203.0.113.1/24`. */
  providerGateway: string
}

/** As OpenStack's installation guides have it. Addresses exist in the lab's namespaces alone: any number fit side by side. */
export function defaultPlan(changes: Partial<LabPlan> = {}): LabPlan {
  return {
    id: newHexId().slice(0, 8),
    database: 'mariadb',
    hosts: [
      { name: 'controller', role: 'controller', address: '10.0.0.11' },
      { name: 'compute1', role: 'compute', address: '10.0.0.31' },
      { name: 'compute2', role: 'compute', address: '10.0.0.32' },
    ],
    managementInterface: 'ens32',
    managementPrefix: 24,
    providerInterface: 'ens33',
    providerGateway: '203.0.113.1/24',
    ...changes,
  }
}

const planFile = (directory: string) => join(directory, 'lab.json')

export function readPlan(directory: string): LabPlan | undefined {
  const file = planFile(directory)
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as LabPlan) : undefined
}

/** The lab's directory is its owner's alone: its hosts keep secrets in it. */
export function writePlan(directory: string, plan: LabPlan): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  chmodSync(directory, 0o700)
  writeFileSync(planFile(directory), `${JSON.stringify(plan, undefined, 2)}\n`, { mode: 0o600 })
}

export function findHost(plan: LabPlan, name: string): HostPlan {
  const host = plan.hosts.find((candidate) => candidate.name === name)
  if (host !== undefined) return host
  const names = plan.hosts.map((candidate) => candidate.name).join(', ')
  throw new Fault('not-found', `This lab has no host ${name}; it has ${names}.`)
}

export function controllerOf(plan: LabPlan): HostPlan {
  const host = plan.hosts.find(({ role }) => role === 'controller')
  if (host === undefined) throw new Fault('invalid', 'This lab has no controller.')
  return host
}

/** Where a lab is kept when nothing else is said. */
export const defaultLabDirectory = '/var/lib/kilonova-lab'
