/** The configuration files of a lab's hosts: those of `kilonova init`. */
import { computeFiles, controllerFiles, type HostFile, type More, openrc } from '../../init/config-files.ts'
import type { Secrets } from '../../init/secrets.ts'
import { controllerOf, type HostPlan, type LabPlan } from '../plan.ts'

/** `more` is set besides, by the path of the file that it goes to. */
export function filesOfHost(plan: LabPlan, host: HostPlan, secrets: Secrets, more: More = {}): HostFile[] {
  const { database, providerInterface } = plan
  const controller = controllerOf(plan).name
  const settings = { controller, database, providerInterface, address: host.address }
  // Guests of a lab must run wherever the lab does.
  if (host.role === 'compute') return computeFiles({ ...settings, virtType: 'qemu' }, secrets, more)
  return [
    ...controllerFiles(settings, secrets, more),
    { path: '/root/admin-openrc', owner: 'root', text: openrc(controller, secrets.admin) },
  ]
}
