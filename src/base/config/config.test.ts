import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from './load.ts'
import { bool, choice, dict, int, list, multi, optional, text } from './option.ts'

const options = {
  myIp: { name: 'my_ip', type: text, default: '127.0.0.1', help: 'Address of this host.' },
  debug: { name: 'debug', type: bool, default: false, help: 'Say more.' },
  workers: {
    name: 'workers',
    type: int({ min: 1, max: 64 }),
    default: 2,
    help: 'Processes.',
    deprecated: ['api.procs'],
  },
  listen: { group: 'vnc', name: 'server_listen', type: text, default: '$my_ip', help: 'Listens at.' },
  proxy: {
    group: 'vnc',
    name: 'base_url',
    type: text,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the syntax of oslo.config.
    default: 'http://${vnc.server_listen}:6080',
    help: 'Url.',
  },
  alias: { group: 'pci', name: 'alias', type: multi(), default: [], help: 'Devices.' },
  filters: { group: 'scheduler', name: 'filters', type: list(), default: ['a'], help: 'Filters.' },
  mappings: { group: 'ml2', name: 'mappings', type: dict, default: {}, help: 'Bridges.' },
  virt: { group: 'libvirt', name: 'virt_type', type: choice('kvm', 'qemu'), default: 'kvm', help: 'Kind.' },
  password: { group: 'auth', name: 'password', type: int(), default: 0, help: 'Secret.', secret: true },
  cpu: { group: 'libvirt', name: 'cpu_model', type: optional(text), default: null, help: 'Model.' },
}

const load = (content: string, overrides: Record<string, string> = {}) =>
  loadConfig(options, { files: [{ path: 'nova.conf', content }], overrides })

test('values are read as oslo.config reads them, and interpolated', () => {
  const { config, warnings } = load(`
# a comment
[DEFAULT]
my_ip = 10.0.0.11
debug: Yes
unknown_to_us = 1
[vnc]
[scheduler]
filters = one,
# between
  two, three
[pci]
alias = {"name": "a"}
alias = {"name": "b"}
[ml2]
mappings = provider:br-ex, other:br2
[libvirt]
virt_type = "qemu"
`)
  assert.deepEqual(warnings, [])
  assert.deepEqual(config, {
    myIp: '10.0.0.11',
    debug: true,
    workers: 2,
    listen: '10.0.0.11',
    proxy: 'http://10.0.0.11:6080',
    alias: ['{"name": "a"}', '{"name": "b"}'],
    filters: ['one', 'two', 'three'],
    mappings: { provider: 'br-ex', other: 'br2' },
    virt: 'qemu',
    password: 0,
    cpu: null,
  })
})

test('later files and the command line win', () => {
  const files = ['[DEFAULT]\nworkers = 3\n', '[DEFAULT]\nworkers = 4\n'].map((content, index) => ({
    path: `${index}.conf`,
    content,
  }))
  assert.equal(loadConfig(options, { files }).config.workers, 4)
  const overrides = { workers: '5', 'libvirt.virt_type': 'qemu' }
  const { config } = loadConfig(options, { files, overrides })
  assert.deepEqual([config.workers, config.virt], [5, 'qemu'])
})

test('each mistake is told with its file, its line and what to do', () => {
  const fails = (content: string, message: RegExp) => assert.throws(() => load(content), message)
  fails(
    '[DEFAULT]\nworkers = many\n',
    /nova\.conf:2: \[DEFAULT\] workers must be of type integer: 'many' is no whole/,
  )
  fails('workers = 99', /:1: .*is more than 64/)
  fails('workers = 3 // three', /A comment must stand on a line of its own/)
  fails('[libvirt]\nvirt_type = xen', /is none of kvm, qemu/)
  fails('[vnc\nx = 1', /:1: '\[vnc' is no section/)
  fails('just words', /:1: 'just words' is neither/)
  fails('  x', /indented line/)
  fails('my_ip = $nowhere', /:1: .*refers to \$nowhere, which is no option/)
  fails('my_ip = $my_ip', /refers to itself/)
  assert.throws(
    () => load('[auth]\npassword = hunter2'),
    (error: Error) => !error.message.includes('hunter2'),
  )
})

test('what looks misspelt, misplaced or outdated is a warning', () => {
  const { warnings, config } = load('worker = 4\nvirt_type = qemu\n[api]\nprocs = 7\n[keystone]\nworkr = 4\n')
  assert.deepEqual(warnings, [
    'nova.conf:1: [DEFAULT] worker is no option; did you mean workers?',
    'nova.conf:2: [DEFAULT] virt_type has no effect here; virt_type belongs to [libvirt].',
    'nova.conf:4: [api] procs is now called [DEFAULT] workers.',
  ])
  assert.equal(config.workers, 7)
})
