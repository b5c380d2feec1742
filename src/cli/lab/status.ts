import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { table } from '../terminal/table.ts'
import { findLab, type Lab } from './lab.ts'
import { controllerOf, defaultLabDirectory, readPlan } from './plan.ts'

/** Exit code 3 when there is no lab, or when something of it does not run. */
export async function labStatus(options: { directory: string }): Promise<number> {
  const lab = await findLab(options.directory)
  if (lab === undefined) {
    const remains =
      readPlan(options.directory) === undefined ? 'There is no lab' : 'There are remains of a lab'
    console.log(`${remains} in ${resolve(options.directory)}. Make one with: kilonova lab up`)
    return 3
  }
  console.log(await describeLab(lab))
  const units = await Promise.all(lab.plan.hosts.map(({ name }) => unitsOn(lab, name)))
  return units.flat().every(({ state, enabled }) => state === 'active' || !enabled) ? 0 : 3
}

/** Hosts with addresses and what runs there, and what to try next. */
export async function describeLab(lab: Lab): Promise<string> {
  const rows = await Promise.all(
    lab.plan.hosts.map(async ({ name, address }) => {
      const [units, cut] = await Promise.all([unitsOn(lab, name), lab.cutFrom(name)])
      const services = units
        .filter(({ enabled, state }) => enabled || state !== 'inactive')
        .map(
          ({ unit, state }) => `${unit.replace(/\.service$/, '')}${state === 'active' ? '' : ` (${state})`}`,
        )
      return [name, address, cut.length === 0 ? 'connected' : `cut: ${cut.join(', ')}`, services.join('\n')]
    }),
  )
  const controller = controllerOf(lab.plan).name
  const compute = lab.plan.hosts.find(({ role }) => role === 'compute')?.name ?? controller
  const where = lab.directory === defaultLabDirectory ? [] : ['--directory', lab.directory]
  const say = (command: string, ...args: string[]) => ['kilonova lab', command, ...where, ...args].join(' ')
  return [
    table(['Host', 'Address', 'Network', 'Services'], rows),
    '',
    'Try:',
    '',
    `  ${say('enter', controller)}`,
    ...(existsSync(lab.path(controller, '/root/admin-openrc')) ? inTheCloud : []),
    `  ${say('cut', compute)}; ${say('status')}; ${say('heal', compute)}`,
    `  ${say('down')}`,
  ].join('\n')
}

/** On the controller. */
const inTheCloud = [
  '  . ./admin-openrc; openstack network agent list; openstack compute service list',
  '  openstack server create --image kilonova --flavor m1.nano --network provider --key-name kilonova --wait first',
  '  openstack console log show first',
  '  exit',
]

interface UnitState {
  unit: string
  state: string
  enabled: boolean
}

async function unitsOn(lab: Lab, host: string): Promise<UnitState[]> {
  const listed = await lab.run(host, ['systemctl', 'list-units'])
  return listed
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [unit = '', state = '', enabled = ''] = line.split('\t')
      return { unit, state, enabled: enabled === 'enabled' }
    })
}
