import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { ConfigFile } from '../../../base/config/sources.ts'
import type { Finding } from './finding.ts'
import { fixFiles } from './fix.ts'
import { type LintOptions, lintFiles } from './lint-files.ts'
import { masked, renderFindings } from './render.ts'

const host = {
  addresses: [
    { name: 'lo', address: '127.0.0.1' },
    { name: 'eth0', address: '10.0.0.11' },
  ],
  nics: ['eth0', 'ens34'],
}

/** A file of the installation guide, with what its author wrote wrongly. */
function guide(path: string, ...changes: readonly (readonly [right: string, wrong: string])[]): ConfigFile {
  let content = readFileSync(new URL(`../../../../tests/guide/${path}`, import.meta.url), 'utf8')
  for (const [right, wrong] of changes) {
    assert.ok(content.includes(right), right)
    content = content.replace(right, wrong)
  }
  return { path, content }
}

const told = (findings: readonly Finding[], ...severities: Finding['severity'][]) =>
  findings
    .filter(({ severity }) => severities.includes(severity))
    .map(({ path, line, column, rule, what }) => `${path}:${line}:${column} ${rule}: ${what}`)

const errors = (files: readonly ConfigFile[], options: LintOptions = {}) =>
  told(lintFiles(files, options), 'error')

const nova = (content: string): ConfigFile => ({ path: '/etc/nova/nova.conf', content })
const rules = (content: string, options: LintOptions = {}) =>
  lintFiles([nova(content)], options).map(({ severity, rule, fix }) => `${severity} ${rule}: ${fix}`)

const all = [
  'controller/nova.conf',
  'controller/neutron.conf',
  'controller/ml2_conf.ini',
  'controller/linuxbridge_agent.ini',
  'controller/dhcp_agent.ini',
  'controller/metadata_agent.ini',
]

test("the guide's files as they should be have no error, and their weak secrets are told", () => {
  const findings = lintFiles(all.map((path) => guide(path)))
  assert.deepEqual(told(findings, 'error'), [])
  assert.deepEqual(told(findings, 'warning'), [
    "controller/nova.conf:3:36 weak-secret: The password of openstack is the user's name.",
    "controller/nova.conf:9:35 weak-secret: The password of nova is the user's name.",
    "controller/nova.conf:47:12 weak-secret: The password of placement is the user's name.",
    "controller/nova.conf:61:12 weak-secret: The password of neutron is the user's name.",
    'controller/nova.conf:63:32 weak-secret: [neutron] metadata_proxy_shared_secret is the name of a service.',
  ])
  const notes = findings.filter(({ severity }) => severity === 'note')
  const named = notes.filter(({ rule }) => rule === 'deprecated-name').map(({ fix }) => fix)
  assert.deepEqual(named, [
    'Write www_authenticate_uri.',
    'Write server_listen.',
    'Write server_proxyclient_address.',
    'Write region_name.',
    'Write endpoint_override.',
    'Write www_authenticate_uri.',
  ])
  assert.equal(notes.filter(({ rule }) => rule === 'admin-port').length, 5)
})

test("the guide author's slips are each found with file, line and what to write", () => {
  const files = [
    guide(
      'controller/nova.conf',
      ['enabled_apis =', 'enable_apis ='],
      ['@controller/nova\n', '@controller/nova_ce110\n'],
    ),
    guide(
      'controller/neutron.conf',
      ['service_plugins =', 'service_plugins = //等号后面什么都不加就是禁用其他插件'],
      ['[database]\nconnection', '\nconnection'],
    ),
    guide('controller/linuxbridge_agent.ini', [
      'provider:ens33',
      'provider:ens33 //将ens33替换成自己本身的网卡接口',
    ]),
  ]
  const findings = lintFiles(files, { host })
  assert.deepEqual(told(findings, 'error'), [
    'controller/nova.conf:2:1 misspelt-option: [DEFAULT] enable_apis is no option of nova.',
    'controller/neutron.conf:3:19 comment-in-value: The comment is part of the value of service_plugins.',
    'controller/neutron.conf:10:1 wrong-section: connection stands in [DEFAULT], but belongs to [database].',
    'controller/linuxbridge_agent.ini:2:40 no-such-interface: There is no interface ens33 on this host.',
    'controller/linuxbridge_agent.ini:2:46 comment-in-value: The comment is part of the value of physical_interface_mappings.',
  ])
  const byRule = new Map(findings.map((finding) => [finding.rule, finding]))
  assert.equal(byRule.get('misspelt-option')?.fix, 'Write enabled_apis.')
  assert.match(byRule.get('misspelt-option')?.why ?? '', /Its default holds: osapi_compute,metadata/)
  assert.match(byRule.get('database-name')?.what ?? '', /nova_ce110, which looks like nova_cell0/)
  assert.equal(byRule.get('no-such-interface')?.fix, 'Did you mean ens34?')
  assert.equal(byRule.get('not-on-this-host')?.fix, 'Did you mean 10.0.0.11 (eth0)?')

  const fixed = fixFiles(files, findings, masked)
  const after = files.map((file) => fixed.find(({ path }) => path === file.path) ?? file)
  assert.deepEqual(errors(after), [])
  assert.match(after[0]!.content, /\nenabled_apis = osapi_compute,metadata\n/)
  assert.match(after[1]!.content, /\nservice_plugins =\n/)
  assert.match(after[1]!.content, /\n\[database\]\nconnection = mysql\+pymysql:\/\/neutron:neutron@/)
  assert.match(after[2]!.content, /\nphysical_interface_mappings = provider:ens33\n/)
  assert.match(fixed[1]!.difference, /^-service_plugins = \/\/.*\n\+service_plugins =$/m)
  assert.ok(!fixed.some(({ difference }) => difference.includes('neutron:neutron@')))
})

test('a database may not be named on a compute host, and must be for a program that opens one', () => {
  const files = [nova('[database]\nconnection = mysql+pymysql://nova:verysecret@controller/nova\n')]
  assert.deepEqual(errors(files, { role: 'compute' }), [
    '/etc/nova/nova.conf:2:1 database-on-compute-host: A database URL stands in the configuration of a compute host.',
  ])
  assert.deepEqual(errors(files, { role: 'controller' }), [])
  const [missing] = lintFiles(
    [nova('[DEFAULT]\nconnection = mysql+pymysql://nova:verysecret@controller/nova_api\n')],
    {
      program: 'nova-api',
    },
  )
  assert.equal(missing?.rule, 'no-database')
  assert.match(missing?.why ?? '', /A connection stands in \[DEFAULT\], \/etc\/nova\/nova\.conf:2/)
})

test('names: what was meant, by letters, by section and by file', () => {
  assert.deepEqual(rules('[keystone_authtokens]\nauth_url = http://c:5000\n'), [
    'error unknown-section: Write [keystone_authtoken].',
  ])
  assert.deepEqual(rules('[default]\nmy_ip = 10.0.0.1\n'), ['error unknown-section: Write [DEFAULT].'])
  assert.deepEqual(rules('[libvirt]\nvirt-type = qemu\n'), ['error misspelt-option: Write virt_type.'])
  assert.deepEqual(rules('[DEFAULT]\nvirt_type = qemu\n'), ['error wrong-section: Move it to [libvirt].'])
  assert.deepEqual(rules('[linux_bridge]\nphysical_interface_mappings = a:b\n'), [
    'error wrong-file: Move it to [linux_bridge] of linuxbridge_agent.ini.',
  ])
  assert.deepEqual(rules('[DEFAULT]\nof_no_program_at_all = 1\n'), [
    'warning unknown-option: Take it out, or look where it came from: it may be of another program or a plug-in.',
  ])
  assert.deepEqual(rules('[neutron_physnet_provider]\nnuma_nodes = 0\n'), [])
})

test('what OpenStack has no more is told with what does its work today', () => {
  assert.deepEqual(rules('[oslo_messaging_rabbit]\nrabbit_host = controller\n'), [
    'warning removed-option: Use [DEFAULT] transport_url.',
  ])
  assert.deepEqual(rules('[DEFAULT]\nuse_neutron = False\n'), [
    'warning no-effect: Write use_neutron = true, or take it out.',
  ])
  assert.deepEqual(
    rules('[DEFAULT]\ninstances = 1\n[quota]\ncores = 3\n')[0],
    'error wrong-section: Move it to [quota].',
  )
})

test('values: types, choices, references and pasted characters', () => {
  assert.deepEqual(rules('[libvirt]\nvirt_type = qemo\n'), ['error bad-value: Write qemu.'])
  assert.deepEqual(rules('[DEFAULT]\ndebug = maybe\n'), [
    'error bad-value: Write a boolean; the default is false.',
  ])
  assert.deepEqual(rules('[vnc]\nserver_listen = $my_ipp\n'), ['error bad-reference: Write $my_ip.'])
  assert.deepEqual(rules('[DEFAULT]\nmy_ip = ‘10.0.0.1’\n'), ["error typography: Write my_ip = '10.0.0.1'"])
  assert.deepEqual(rules('[DEFAULT]\nworkers\n'), [
    'error syntax: Put this line right, or make it a comment with # in the first column.',
  ])
  assert.deepEqual(rules('[DEFAULT]\ndebug = true\ndebug = false\n'), [
    'warning given-twice: Take one of them out.',
  ])
  assert.deepEqual(rules('[DEFAULT]\nlog_dir = /var/log/nova # here\n'), [
    'error comment-in-value: Write log_dir = /var/log/nova, and the comment on a line of its own.',
  ])
  // No comment: a fragment of a URL, and a password with a # in it.
  assert.deepEqual(
    rules('[glance]\napi_servers = http://c:9292/#a\n[placement]\npassword = long#enough1\n'),
    [],
  )
})

test('secrets that must be the same in two files are compared, and never shown', () => {
  const secret = 'a-long-secret-of-nova'
  const files = [
    guide('controller/nova.conf', ['shared_secret = neutron', `shared_secret = ${secret}`]),
    guide('controller/metadata_agent.ini', ['shared_secret = neutron', 'shared_secret = another-long-one']),
    guide(
      'controller/neutron.conf',
      ['openstack:openstack', 'openstack:changed-here'],
      ['username = neutron\npassword = neutron', 'username = neutron\npassword = other-one'],
    ),
  ]
  const findings = lintFiles(files)
  assert.deepEqual(told(findings, 'error'), [
    'controller/metadata_agent.ini:3:32 secrets-differ: metadata_proxy_shared_secret is not the one of controller/nova.conf:63.',
    'controller/neutron.conf:21:12 secrets-differ: The password of neutron is not the one of controller/nova.conf:61.',
  ])
  assert.ok(
    findings.some(({ what }) => what === 'transport_url names another password than controller/nova.conf:3.'),
  )
  const text = renderFindings(findings, files, { color: false, width: 100 })
  for (const hidden of [secret, 'another-long-one', 'changed-here', 'other-one', 'openstack:openstack']) {
    assert.ok(!text.includes(hidden), hidden)
  }
  assert.deepEqual(
    rules('[neutron]\nmetadata_proxy_shared_secret = METADATA_SECRET\n').map((rule) => rule.split(':')[0]),
    ['warning metadata-proxy-off', 'error weak-secret'],
  )
})

test('a user that lacks a part, an open console, a type without a driver', () => {
  assert.deepEqual(
    rules('[placement]\nauth_type = password\nauth_url = http://c:5000\nusername = placement\n'),
    ['error incomplete-user: Write password, project_name, user_domain_name under [placement].'],
  )
  assert.deepEqual(rules('[vnc]\nserver_listen = 0.0.0.0\n'), [
    'warning open-console: Write $my_ip, and let only the console proxy reach these ports.',
  ])
  const ml2 = { path: 'ml2_conf.ini', content: '[ml2]\ntype_drivers = flat\ntenant_network_types = vxlan\n' }
  assert.deepEqual(errors([ml2]), [
    'ml2_conf.ini:3:24 type-without-driver: tenant_network_types has vxlan, which is not among the type_drivers.',
  ])
})
