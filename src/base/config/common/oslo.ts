/** Options of the oslo libraries that every program with an API reads. */
import { int, multi, optional, text } from '../option.ts'

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

export const concurrencyOptions = {
  lockPath: {
    group: 'oslo_concurrency',
    name: 'lock_path',
    type: optional(text),
    default: null,
    help: 'Directory of the files that processes of one host lock each other out by.',
  },
} as const

export const middlewareOptions = {
  maxRequestBodySize: {
    group: 'oslo_middleware',
    name: 'max_request_body_size',
    type: int({ min: 1 }),
    default: 114_688,
    help: 'Largest body of a request in bytes.',
  },
} as const

export const osloOptions = {
  ...policyOptions,
  ...concurrencyOptions,
  ...middlewareOptions,
} as const
