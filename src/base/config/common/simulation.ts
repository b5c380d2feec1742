/** Our own options, which OpenStack's programs do not have: hosts that only pretend. */
import { bool, text } from '../option.ts'

const group = 'kilonova'

export const simulationOptions = {
  simulated: {
    group,
    name: 'simulated',
    type: bool,
    default: false,
    help: 'Change nothing on this host: networks are simulated, for nova-compute with compute_driver = fake.FakeDriver. The programs run as they would, without root.',
  },
  simulatedPath: {
    group,
    name: 'simulated_path',
    type: text,
    default: '/var/lib/kilonova/simulated',
    help: 'Directory through which the simulated network of a host sees the simulated guests: the same for all programs of a host.',
  },
} as const
