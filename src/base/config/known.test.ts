import assert from 'node:assert/strict'
import { test } from 'node:test'
import { knownSets, readKnown } from './known.ts'

test('every known option has a section, a name, and a default that its own type takes', () => {
  for (const set of knownSets) {
    const options = readKnown(set)
    assert.ok(options.length > 0, set)
    const names = options.map(({ group, name }) => `${group}.${name}`)
    assert.deepEqual(new Set(names).size, names.length, `${set} has an option twice`)
    for (const { group, name, type, default: value } of options) {
      assert.match(`${group}.${name}`, /^[\w*-]+\.[\w-]+$/)
      if (value === null || /[<$]/.test(value)) continue
      assert.doesNotThrow(() => type.parse(value), `${set}: ${group}.${name} = ${value}`)
    }
  }
})

test('facts of options from Pike to today', () => {
  const nova = new Map(readKnown('nova').map((option) => [`${option.group}.${option.name}`, option]))
  assert.equal(nova.get('DEFAULT.use_neutron')?.removed, 'Ussuri')
  assert.equal(nova.get('neutron.url')?.instead, 'neutron.endpoint_override')
  assert.deepEqual(nova.get('placement.region_name')?.deprecated, ['os_region_name'])
  assert.equal(nova.get('neutron.metadata_proxy_shared_secret')?.isSecret, true)
  assert.throws(() => nova.get('DEFAULT.enabled_apis')?.type.parse('osapi_computer'), /is none of/)
  assert.throws(() => nova.get('serial_console.port_range')?.type.parse('many'), /is not of the form/)
})
