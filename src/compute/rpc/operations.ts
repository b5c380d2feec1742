/** What can be asked of a server that is there, and when. Data for the API, the conductor and the docs. */

export interface Operation {
  /** As `instance_actions` and error messages name it. */
  action: string
  /** What `instance_actions_events` names it. */
  event: string
  taskState: string
  vmStates: readonly string[]
  /** Tasks that it may interrupt; null: none. */
  taskStates: readonly (string | null)[]
}

export const operations = {
  start: {
    action: 'start',
    event: 'compute_start_instance',
    taskState: 'powering-on',
    vmStates: ['stopped'],
    taskStates: [null],
  },
  stop: {
    action: 'stop',
    event: 'compute_stop_instance',
    taskState: 'powering-off',
    vmStates: ['active', 'error'],
    taskStates: [null],
  },
  'reboot-soft': {
    action: 'reboot',
    event: 'compute_reboot_instance',
    taskState: 'rebooting',
    vmStates: ['active'],
    taskStates: [null],
  },
  'reboot-hard': {
    action: 'reboot',
    event: 'compute_reboot_instance',
    taskState: 'rebooting_hard',
    vmStates: ['active', 'stopped', 'paused', 'suspended', 'error'],
    taskStates: [null, 'rebooting', 'resuming', 'unpausing', 'pausing', 'suspending'],
  },
  pause: {
    action: 'pause',
    event: 'compute_pause_instance',
    taskState: 'pausing',
    vmStates: ['active'],
    taskStates: [null],
  },
  unpause: {
    action: 'unpause',
    event: 'compute_unpause_instance',
    taskState: 'unpausing',
    vmStates: ['paused'],
    taskStates: [null],
  },
  suspend: {
    action: 'suspend',
    event: 'compute_suspend_instance',
    taskState: 'suspending',
    vmStates: ['active'],
    taskStates: [null],
  },
  resume: {
    action: 'resume',
    event: 'compute_resume_instance',
    taskState: 'resuming',
    vmStates: ['suspended'],
    taskStates: [null],
  },
} as const satisfies Record<string, Operation>

export type OperationName = keyof typeof operations
