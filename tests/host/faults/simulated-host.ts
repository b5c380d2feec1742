/** One more compute host of a lab, whose guests are simulated: two more programs on its controller. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { Lab } from '../../../src/cli/lab/lab.ts'
import { controllerOf } from '../../../src/cli/lab/plan.ts'
import type { HostHoldings } from './holdings.ts'
import { readGuestJournal } from './simulated-guests.ts'

export const simulatedHost = 'simulated'
const directory = '/var/lib/nova/simulated'

const settings = (more: string) => `[DEFAULT]
host = ${simulatedHost}
${more}
[kilonova]
simulated = true
simulated_path = ${directory}
`

const agents = {
  'openstack-nova-compute': {
    files: ['/etc/nova/nova.conf', '/etc/nova/simulated.conf'],
    settings: settings('compute_driver = fake.FakeDriver'),
  },
  'neutron-linuxbridge-agent': {
    files: [
      '/etc/neutron/neutron.conf',
      '/etc/neutron/plugins/ml2/linuxbridge_agent.ini',
      '/etc/neutron/simulated.conf',
    ],
    settings: settings(''),
  },
}

/** Units of the controller. */
export const simulatedUnits = Object.keys(agents).map((unit) => `simulated-${unit}`)

export async function startSimulatedHost(lab: Lab): Promise<void> {
  const controller = controllerOf(lab.plan).name
  for (const [unit, { files, settings: text }] of Object.entries(agents)) {
    writeFileSync(lab.path(controller, files.at(-1)!), text)
    const units = '/etc/systemd/system'
    const original = readFileSync(lab.path(controller, `${units}/${unit}.service`), 'utf8')
    const options = files.map((file) => `--config-file ${file}`).join(' ')
    const own = original
      .replace(/^(ExecStart=\S+).*$/m, `$1 ${options} --log-file /var/log/simulated-${unit}.log`)
      // They meet in a directory, which one user must own.
      .replace(/^User=.*$/m, 'User=root')
    writeFileSync(lab.path(controller, `${units}/simulated-${unit}.service`), own)
  }
  await lab.start(controller, ...simulatedUnits)
}

export function simulatedHoldings(lab: Lab): HostHoldings {
  const path = (name: string) => lab.path(controllerOf(lab.plan).name, name)
  const taps = path(`${directory}/${simulatedHost}/taps`)
  return {
    guests: readGuestJournal(path(`/var/lib/nova/instances/simulated/${simulatedHost}/guests`)),
    taps: existsSync(taps) ? readdirSync(taps) : [],
  }
}
