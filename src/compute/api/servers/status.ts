/** The one word that a server's states are shown as, and which states such a word stands for. */

const whileRunning: Readonly<Record<string, string>> = {
  rebooting: 'REBOOT',
  reboot_pending: 'REBOOT',
  reboot_started: 'REBOOT',
  rebooting_hard: 'HARD_REBOOT',
  reboot_pending_hard: 'HARD_REBOOT',
  reboot_started_hard: 'HARD_REBOOT',
  updating_password: 'PASSWORD',
  migrating: 'MIGRATING',
}
const whileRebuilding: Readonly<Record<string, string>> = {
  rebuilding: 'REBUILD',
  rebuild_block_device_mapping: 'REBUILD',
  rebuild_spawning: 'REBUILD',
}
const whileResizing: Readonly<Record<string, string>> = {
  resize_prep: 'RESIZE',
  resize_migrating: 'RESIZE',
  resize_migrated: 'RESIZE',
  resize_finish: 'RESIZE',
}

const states: Readonly<Record<string, { status: string; tasks: Readonly<Record<string, string>> }>> = {
  active: { status: 'ACTIVE', tasks: { ...whileRunning, ...whileRebuilding, ...whileResizing } },
  building: { status: 'BUILD', tasks: {} },
  stopped: { status: 'SHUTOFF', tasks: { ...whileRebuilding, ...whileResizing } },
  resized: { status: 'VERIFY_RESIZE', tasks: { resize_reverting: 'REVERT_RESIZE' } },
  paused: { status: 'PAUSED', tasks: { migrating: 'MIGRATING' } },
  suspended: { status: 'SUSPENDED', tasks: {} },
  rescued: { status: 'RESCUE', tasks: {} },
  error: { status: 'ERROR', tasks: whileRebuilding },
  deleted: { status: 'DELETED', tasks: {} },
  'soft-delete': { status: 'SOFT_DELETED', tasks: {} },
  shelved: { status: 'SHELVED', tasks: {} },
  shelved_offloaded: { status: 'SHELVED_OFFLOADED', tasks: {} },
}

/** `ACTIVE`, `BUILD`, … */
export function serverStatus(instance: {
  vm_state: string
  task_state: string | null
  deleted: number
}): string {
  if (instance.deleted !== 0) return 'DELETED'
  const state = states[instance.vm_state]
  if (state === undefined) return 'UNKNOWN'
  return (instance.task_state === null ? undefined : state.tasks[instance.task_state]) ?? state.status
}

/** The states that are shown as one of these words. `taskStates` is absent when any task may be under way. */
export function statesOf(statuses: readonly string[]): { vmStates: string[]; taskStates?: string[] } {
  const wanted = new Set(statuses.map((status) => status.toUpperCase()))
  const vmStates = new Set<string>()
  const taskStates = new Set<string>()
  let anyTask = false
  for (const [vmState, { status, tasks }] of Object.entries(states)) {
    if (wanted.has(status)) {
      vmStates.add(vmState)
      anyTask = true
    }
    for (const [task, word] of Object.entries(tasks)) {
      if (!wanted.has(word)) continue
      vmStates.add(vmState)
      taskStates.add(task)
    }
  }
  return anyTask ? { vmStates: [...vmStates] } : { vmStates: [...vmStates], taskStates: [...taskStates] }
}
