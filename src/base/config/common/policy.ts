/** oslo.policy's options: who may do what. */
import { multi, text } from '../option.ts'

export const policyOptions = {
  policyFile: {
    group: 'oslo_policy',
    name: 'policy_file',
    type: text,
    default: 'policy.yaml',
    help: 'File of the rules that differ from the defaults; relative to the directory of the configuration file.',
  },
  policyDirs: {
    group: 'oslo_policy',
    name: 'policy_dirs',
    type: multi(),
    default: ['policy.d'],
    help: 'Directories of further such files, read after policy_file.',
  },
} as const
