/** The management programs by name; each is loaded when it is asked for. */
import { runManage } from '../../base/manage/program.ts'

/** Gives the exit code. */
type Run = (args: readonly string[]) => Promise<number>

export const managePrograms: Readonly<Record<string, Run>> = {
  'nova-manage': async (args) => runManage((await import('./nova.ts')).novaManage, args),
  'nova-status': async (args) => runManage((await import('./nova.ts')).novaStatus, args),
  'keystone-manage': async (args) => runManage((await import('./databases.ts')).keystoneManage, args),
  'glance-manage': async (args) => runManage((await import('./databases.ts')).glanceManage, args),
  'placement-manage': async (args) => runManage((await import('./databases.ts')).placementManage, args),
  'neutron-db-manage': async (args) => runManage((await import('./databases.ts')).neutronDbManage, args),
}
