import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../../base/config/load.ts'
import type { Options } from '../../base/config/option.ts'
import { programs } from './programs.ts'
import { sampleFile } from './sample.ts'
import { asIni, programOf, shownValues } from './show-command.ts'

const options: Options = programs['nova-api'].options
const content = `[DEFAULT]
my_ip = 10.0.0.11
transport_url = rabbit://openstack:hunter2@controller
[vnc]
vncserver_listen = $my_ip
[neutron]
metadata_proxy_shared_secret = hunter2
`
const files = [{ path: '/etc/nova/nova.conf', content }]

test('each value is shown with where it is from, and no secret is', () => {
  const loaded = loadConfig(options, { files, environment: { OS_DEFAULT__DEBUG: 'yes' } })
  const shown = asIni(shownValues(options, loaded))
  assert.match(shown, /^my_ip = 10\.0\.0\.11 +# \/etc\/nova\/nova\.conf:2$/m)
  assert.match(shown, /^server_listen = 10\.0\.0\.11 +# \/etc\/nova\/nova\.conf:5$/m)
  assert.match(shown, /^debug = true +# OS_DEFAULT__DEBUG$/m)
  assert.match(shown, /^enabled_apis = osapi_compute,metadata +# default$/m)
  assert.match(shown, /^transport_url = rabbit:\/\/openstack:\*\*\*@controller/m)
  assert.ok(!shown.includes('hunter2'))
  assert.match(shown, /^\n\[DEFAULT\]\n/)
})

test('files tell whose they are', () => {
  assert.equal(programOf(files), 'nova-api')
  const agent = { path: '/etc/neutron/dhcp_agent.ini', content: '' }
  assert.equal(programOf([{ path: '/etc/neutron/neutron.conf', content: '' }, agent]), 'neutron-dhcp-agent')
  assert.equal(programOf([{ path: '/tmp/x', content: '[token]\nexpiration = 60\n' }]), 'keystone')
})

test('a sample is a file that says nothing but the defaults', () => {
  const sample = { path: 'sample.conf', content: sampleFile('nova-api') }
  assert.deepEqual(loadConfig(options, { files: [sample] }).config, loadConfig(options).config)
  // Without its comments every default is read back as itself, but for what depends on the host.
  const written = sample.content.replace(/^#(\w+ = )(?!<)/gm, '$1')
  const read = loadConfig(options, { files: [{ path: 'sample.conf', content: written }] })
  assert.deepEqual(read.config, loadConfig(options).config)
})
