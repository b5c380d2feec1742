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
  const { config } = load(`
# a comment
[DEFAULT]
my_ip = 10.0.0.11
debug: Yes
unknown_to_us = 1
[vnc]
[scheduler]
filters = one,
  two, three
[pci]
alias = {"name": "a"}
alias = {"name": "b"}
[ml2]
mappings = provider:br-ex, other:br2
[libvirt]
virt_type = "qemu"
`)
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
  fails('[DEFAULT]\nworkers = 99', /:2: .*is more than 64/)
  fails('[DEFAULT]\nworkers = 3 // three', /A comment must stand on a line of its own/)
  fails('[libvirt]\nvirt_type = xen', /is none of kvm, qemu/)
  fails('[vnc\nx = 1', /:1: '\[vnc' is no section/)
  fails('just words', /:1: 'just words' is neither/)
  fails('  x', /indented line/)
  fails('my_ip = 10.0.0.1', /:1: my_ip stands before any section; write \[DEFAULT\] above it/)
  fails('[DEFAULT]\nmy_ip = $nowhere', /:2: .*refers to \$nowhere, which is no option/)
  fails('[DEFAULT]\nmy_ip = $my_ip', /refers to itself/)
  assert.throws(
    () => load('[auth]\npassword = hunter2'),
    (error: Error) => !error.message.includes('hunter2'),
  )
})

test('the environment wins over files and the command line over both; each value tells where it is from', () => {
  const { config, origins } = loadConfig(options, {
    files: [
      { path: 'a.conf', content: '[DEFAULT]\nmy_ip = 10.0.0.1\n[libvirt]\nvirt_type = qemu\n' },
      { path: 'b.conf', content: '[VNC]\nserver_listen = $my_ip\n' },
    ],
    environment: {
      OS_DEFAULT__WORKERS: '7',
      OS_LIBVIRT__VIRT_TYPE: 'kvm',
      OS_VNC__SERVER_LISTEN: 'elsewhere',
    },
    overrides: { 'vnc.server_listen': '0.0.0.0' },
  })
  assert.deepEqual([config.workers, config.virt, config.listen], [7, 'kvm', '0.0.0.0'])
  assert.deepEqual(origins.myIp, { kind: 'file', where: 'a.conf:2', text: '10.0.0.1' })
  assert.deepEqual(origins.virt, { kind: 'environment', where: 'OS_LIBVIRT__VIRT_TYPE', text: 'kvm' })
  assert.equal(origins.listen.kind, 'command line')
  assert.deepEqual(origins.debug, { kind: 'default', where: 'default' })
})

test("in one file today's name wins over a deprecated one, a later file wins over both", () => {
  const today = { path: 'a.conf', content: '[DEFAULT]\nworkers = 3\n[api]\nprocs = 4\n' }
  const old = { path: 'b.conf', content: '[api]\nprocs = 5\n' }
  assert.equal(loadConfig(options, { files: [today] }).config.workers, 3)
  assert.equal(loadConfig(options, { files: [today, old] }).config.workers, 5)
})
