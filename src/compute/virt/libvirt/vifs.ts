/** The guest's side of its ports: libvirt makes each tap and puts it into its network's bridge. */
import { Fault, isFault } from '../../../base/errors.ts'
import type { Run } from '../../../linux/run.ts'
import type { Vif } from '../driver.ts'
import { isThere } from './instance-files.ts'

/**
 * Makes the bridges that the L2 agent has not made yet, since libvirt needs them at the start. They become the
 * agent's: it finds them under their names, connects and finally removes them.
 */
export async function ensureBridges(vifs: readonly Vif[], run: Run, cloudId: string): Promise<void> {
  const unbound = vifs.find((vif) => vif.type === 'unbound')
  if (unbound !== undefined) {
    throw new Fault('conflict', `Port ${unbound.portId} is not bound to this host; see its binding:vif_type.`)
  }
  for (const name of new Set(vifs.map((vif) => vif.bridgeName))) {
    if (!(await isThere(`/sys/class/net/${name}`))) await addBridge(name, run, cloudId)
  }
}

async function addBridge(name: string, run: Run, cloudId: string): Promise<void> {
  try {
    await run('ip', ['link', 'add', name, 'type', 'bridge', 'forward_delay', '0', 'stp_state', '0'])
  } catch (error) {
    // The agent was faster.
    if (isFault(error) && String(error.details['stderr']).includes('File exists')) return
    throw error
  }
  // The alias says whose it is: the agent of another cloud on this machine leaves it alone.
  await run('ip', ['link', 'set', name, 'addrgenmode', 'none', 'alias', `kilonova:${cloudId}`, 'up'])
}
