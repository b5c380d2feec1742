import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newBuild } from '../../conductor/world.ts'
import type { RequestSpec } from '../../store/request-specs.ts'
import type { Candidate, SchedulingContext } from '../host-state.ts'
import { matchesSpec } from '../match-spec.ts'
import { candidatesQuery, resourcesOf } from '../resource-request.ts'
import { defaultWeighers, rankHosts } from '../weighers/weighers.ts'
import { availableFilters } from './filters.ts'

const host = (facts: Partial<Candidate> = {}): Candidate => ({
  uuid: 'u1',
  host: 'h1',
  node: 'h1',
  cellId: 2,
  up: true,
  disabled: false,
  disabledReason: null,
  availabilityZone: 'nova',
  aggregates: [],
  hypervisorType: 'QEMU',
  hypervisorVersion: 7_000_000,
  cpuInfo: '{"arch": "x86_64"}',
  instances: 0,
  ioOps: 0,
  failedBuilds: 0,
  request: { allocations: {} },
  freeRamMb: 1000,
  freeDiskGb: 10,
  freeVcpus: 4,
  traits: [],
  ...facts,
})

const asking = (changes: Partial<RequestSpec>, extraSpecs: Record<string, string> = {}): RequestSpec => {
  const { spec } = newBuild({ changes }, 'n')
  return { ...spec, flavor: { ...spec.flavor, extra_specs: extraSpecs } }
}

const context = (spec: RequestSpec, facts: Partial<SchedulingContext> = {}): SchedulingContext => ({
  spec,
  hostOf: new Map(),
  group: null,
  ...facts,
})

test('each filter refuses what it is for, and lets the rest pass', () => {
  const image = (properties: Record<string, string>) => ({ image: { ...asking({}).image!, properties } })
  const group = (policy: string) => ({
    group: { policy, maxPerHost: 1, members: ['m'] },
    hostOf: new Map([['m', 'h1']]),
  })
  const aggregate = { uuid: 'a', name: 'a', metadata: { ssd: 'true' } }
  const extra = { 'aggregate_instance_extra_specs:ssd': 'true' }
  const cases: [filter: string, host: Candidate, context: SchedulingContext, passes: boolean][] = [
    ['ComputeFilter', host(), context(asking({})), true],
    ['ComputeFilter', host({ up: false }), context(asking({})), false],
    ['ComputeFilter', host({ disabled: true }), context(asking({})), false],
    ['AvailabilityZoneFilter', host(), context(asking({ availabilityZone: 'az2' })), false],
    [
      'AvailabilityZoneFilter',
      host({ availabilityZone: 'az2' }),
      context(asking({ availabilityZone: 'az2' })),
      true,
    ],
    ['ImagePropertiesFilter', host(), context(asking(image({ hw_architecture: 'aarch64' }))), false],
    ['ImagePropertiesFilter', host(), context(asking(image({ hw_architecture: 'x86_64' }))), true],
    ['ImagePropertiesFilter', host(), context(asking(image({ img_hv_type: 'kvm' }))), true],
    ['ImagePropertiesFilter', host(), context(asking(image({ img_hv_type: 'xen' }))), false],
    [
      'ComputeCapabilitiesFilter',
      host(),
      context(asking({}, { 'capabilities:hypervisor_type': 's== QEMU' })),
      true,
    ],
    [
      'ComputeCapabilitiesFilter',
      host(),
      context(asking({}, { 'capabilities:hypervisor_version': '>= 8000000' })),
      false,
    ],
    ['ServerGroupAffinityFilter', host(), context(asking({}), group('affinity')), true],
    ['ServerGroupAffinityFilter', host({ host: 'h2' }), context(asking({}), group('affinity')), false],
    ['ServerGroupAntiAffinityFilter', host(), context(asking({}), group('anti-affinity')), false],
    [
      'ServerGroupAntiAffinityFilter',
      host({ host: 'h2' }),
      context(asking({}), group('anti-affinity')),
      true,
    ],
    ['SameHostFilter', host(), context(asking({ schedulerHints: { same_host: ['m'] } }), group('')), true],
    [
      'SameHostFilter',
      host({ host: 'h2' }),
      context(asking({ schedulerHints: { same_host: ['m'] } }), group('')),
      false,
    ],
    [
      'DifferentHostFilter',
      host(),
      context(asking({ schedulerHints: { different_host: ['m'] } }), group('')),
      false,
    ],
    ['AggregateInstanceExtraSpecsFilter', host(), context(asking({}, extra)), false],
    [
      'AggregateInstanceExtraSpecsFilter',
      host({ aggregates: [aggregate] }),
      context(asking({}, extra)),
      true,
    ],
    ['NumInstancesFilter', host({ instances: 50 }), context(asking({})), false],
    ['IoOpsFilter', host({ ioOps: 8 }), context(asking({})), false],
  ]
  for (const [name, candidate, asked, passes] of cases) {
    const reason = availableFilters.get(name)!.refuses(candidate, asked)
    assert.equal(reason === undefined, passes, `${name}: ${reason}`)
  }
})

test('the roomiest host comes first, one that failed lately last', () => {
  const hosts = [
    host({ host: 'small', freeRamMb: 100 }),
    host({ host: 'broken', freeRamMb: 9000, failedBuilds: 1 }),
    host({ host: 'large', freeRamMb: 2000 }),
  ]
  const ranked = rankHosts(hosts, defaultWeighers, context(asking({})))
  assert.deepEqual(
    ranked.map((one) => one.host),
    ['large', 'small', 'broken'],
  )
})

test('a flavor and an image become a query to placement', () => {
  const specs = {
    'resources:CUSTOM_GPU': '1',
    'trait:HW_CPU_X86_AVX2': 'required',
    'trait:CUSTOM_OLD': 'forbidden',
  }
  const spec = asking({}, specs)
  const resources = resourcesOf({ ...spec, flavor: { ...spec.flavor, swap: 1500, ephemeral_gb: 2 } })
  assert.deepEqual(resources, { VCPU: 1, MEMORY_MB: 512, DISK_GB: 5, CUSTOM_GPU: 1 })
  const query = candidatesQuery(spec, { VCPU: 1 }, { limit: 5, inTree: 'n' })
  assert.equal(
    decodeURIComponent(String(query)),
    'resources=VCPU:1&limit=5&in_tree=n&required=HW_CPU_X86_AVX2,!CUSTOM_OLD',
  )
})

test("requirements are read in nova's language", () => {
  const fits: [string, string, boolean][] = [
    ['12', '>= 10', true],
    ['9', '>= 10', false],
    ['a', '<or> a <or> b', true],
    ['c', '<or> a <or> b', false],
    ['abc', '<in> b', true],
    ['aes mmx', '<all-in> aes mmx', true],
    ['x', 'x', true],
    ['x', 's!= x', false],
  ]
  for (const [value, requirement, expected] of fits) {
    assert.equal(matchesSpec(value, requirement), expected, `${value} ${requirement}`)
  }
})
