/** The same files read by oslo.config and by us give the same values, or are refused by both. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { loadConfig } from '../../../src/base/config/load.ts'
import {
  bool,
  choice,
  dict,
  float,
  int,
  list,
  multi,
  optional,
  port,
  text,
} from '../../../src/base/config/option.ts'
import { type Case, cases } from './cases.ts'

const help = 'As in read.py.'
const options = {
  'DEFAULT.my_ip': { name: 'my_ip', type: text, default: '127.0.0.1', help },
  'DEFAULT.debug': { name: 'debug', type: bool, default: false, help },
  'DEFAULT.workers': {
    name: 'workers',
    type: optional(int({ min: 1, max: 64 })),
    default: null,
    help,
    deprecated: ['api.procs'],
  },
  'DEFAULT.ratio': { name: 'ratio', type: optional(float({ min: 0 })), default: 1.5, help },
  'DEFAULT.text': { name: 'text', type: text, default: null, help },
  'DEFAULT.state_path': { name: 'state_path', type: text, default: '/var/lib/nova', help },
  'DEFAULT.instances_path': { name: 'instances_path', type: text, default: '$state_path/instances', help },
  'vnc.server_listen': {
    group: 'vnc',
    name: 'server_listen',
    type: text,
    default: '$my_ip',
    help,
    deprecated: ['vncserver_listen'],
  },
  'vnc.base_url': {
    group: 'vnc',
    name: 'base_url',
    type: text,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the syntax of oslo.config.
    default: 'http://${vnc.server_listen}:6080',
    help,
  },
  'pci.alias': {
    group: 'pci',
    name: 'alias',
    type: multi(),
    default: [],
    help,
    deprecated: ['DEFAULT.pci_alias'],
  },
  'scheduler.filters': { group: 'scheduler', name: 'filters', type: list(), default: ['a', 'b'], help },
  'scheduler.numbers': { group: 'scheduler', name: 'numbers', type: list(int()), default: [], help },
  'ml2.mappings': { group: 'ml2', name: 'mappings', type: dict, default: {}, help },
  'libvirt.virt_type': {
    group: 'libvirt',
    name: 'virt_type',
    type: choice('kvm', 'qemu'),
    default: 'kvm',
    help,
  },
  'api.port': { group: 'api', name: 'port', type: port, default: 8774, help },
  'keystone_authtoken.user_name': {
    group: 'keystone_authtoken',
    name: 'user_name',
    type: text,
    default: null,
    help,
    deprecated: ['user-name'],
  },
}

const python = spawnSync('/usr/bin/python3', [new URL('read.py', import.meta.url).pathname], {
  input: JSON.stringify(cases),
  encoding: 'utf8',
})
const skip = python.status === 0 ? false : 'python3-oslo.config is not installed'

function ours({ files, environment = {} }: Case): Record<string, unknown> {
  const named = files.map((content, index) => ({ path: `${index}.conf`, content }))
  try {
    return { ...loadConfig(options, { files: named, environment }).config }
  } catch (error) {
    return { error: String(error) }
  }
}

test('files, environment and defaults give what oslo.config makes of them', { skip }, () => {
  const theirs = JSON.parse(python.stdout) as Record<string, unknown>[]
  const differing = cases.flatMap((each, index) => {
    const [expected, actual] = [theirs[index]!, ours(each)]
    if (expected['error'] !== undefined && actual['error'] !== undefined) return []
    return Object.keys({ ...expected, ...actual })
      .filter((key) => JSON.stringify(expected[key]) !== JSON.stringify(actual[key]))
      .map((key) => ({ case: each.name, key, expected: expected[key], actual: actual[key] }))
  })
  assert.deepEqual(differing, [])
})
