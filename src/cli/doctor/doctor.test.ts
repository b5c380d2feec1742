import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { configurationChecks } from './checks/configuration.ts'
import { hostChecks } from './checks/host.ts'
import { describePeer, strangers } from './checks/peers.ts'
import { checkRootHelper } from './checks/root-helper.ts'
import { serviceChecks } from './checks/services.ts'
import type { Finding } from './finding.ts'
import { type ProgramHere, programsHere } from './programs-here.ts'
import { portFinding, reach } from './reach.ts'
import { report } from './report.ts'
import { serviceAt } from './service-at.ts'

/** A server that answers everything with one document. */
async function answering(type: string, body: string) {
  const server: Server = createServer((_request, reply) => reply.setHeader('content-type', type).end(body))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** The programs that these configuration files set up. */
function programsOf(
  name: Parameters<typeof programsHere>[0]['names'][number],
  content: string,
): ProgramHere[] {
  const directory = mkdtempSync(join(tmpdir(), 'kilonova-doctor-'))
  const file = join(directory, 'program.conf')
  writeFileSync(file, content)
  try {
    return programsHere({ names: [name], configFiles: [file], configDirs: [] }).programs
  } finally {
    rmSync(directory, { recursive: true })
  }
}

const failures = async (checks: readonly { run(): Promise<readonly Finding[]> }[]) =>
  (await Promise.all(checks.map((check) => check.run()))).flat().filter(({ result }) => result === 'failure')

test('a port that refuses, one that answers and a name that is unknown are told apart', async () => {
  let port: number
  {
    await using server = await answering('text/plain', '')
    port = server.port
    assert.equal((await reach('127.0.0.1', port)).reached, true)
  }
  const refused = await reach('127.0.0.1', port)
  assert.equal(refused.reached || refused.how, 'refused')
  const unknown = await reach('no-such-host.invalid', 80)
  assert.equal(unknown.reached || unknown.how, 'unknown name')
  const filtered = { reached: false, how: 'filtered', error: '' } as const
  const finding = portFinding('x', { host: 'controller', port: 5672 }, filtered, 'nova.conf:3')
  assert.match(finding.detail, /controller:5672 \(nova\.conf:3\).*firewall/)
  assert.match(finding.fix ?? '', /firewall-cmd .*5672.*ufw allow 5672.*nft/)
})

test('a service is known by its version document', async () => {
  const json = (body: unknown) => answering('application/json', JSON.stringify(body))
  const documents = {
    identity: { versions: { values: [{ id: 'v3.14' }] } },
    placement: { versions: [{ id: 'v1.0', min_version: '1.0', max_version: '1.39' }] },
    compute: { versions: [{ id: 'v2.0' }, { id: 'v2.1', min_version: '2.1', max_version: '2.96' }] },
    network: { versions: [{ id: 'v2.0', status: 'CURRENT' }] },
    image: { versions: ['v2.17', 'v2.15', 'v2.1', 'v2.0'].map((id) => ({ id, status: 'SUPPORTED' })) },
  }
  for (const [type, document] of Object.entries(documents)) {
    await using server = await json(document)
    assert.equal((await serviceAt(`${server.url}/v2.1/%(tenant_id)s`)).is, type)
  }
  await using compute = await answering(
    'application/json',
    JSON.stringify({
      versions: [
        { id: 'v2.0', version: '' },
        { id: 'v2.1', min_version: '2.1', version: '2.93' },
      ],
    }),
  )
  const answer = await serviceAt(compute.url)
  assert.ok('whose' in answer)
  assert.equal(
    describePeer('compute', answer.whose),
    "OpenStack (Zed), API v2.1 with microversions 2.1 to 2.93, RPC: nova's own",
  )
  const programs = programsOf('nova-compute', '[DEFAULT]\n')
  assert.match(
    strangers(programs, 'compute', answer.whose)[0]?.detail ?? '',
    /nova-compute of this host does not/,
  )
  assert.deepEqual(strangers(programs, 'compute', { ...answer.whose, kilonova: '0.1.0' }), [])
  await using page = await answering('text/html', '<html>403 Forbidden')
  assert.equal((await serviceAt(page.url)).is, 'html')
})

test('a web page where a service should be, and another service, are failures that say so', async () => {
  await using page = await answering('text/html', '<html>403 Forbidden')
  await using other = await answering('application/json', '{"versions": [{"id": "v2.0"}]}')
  const conf = `[keystone_authtoken]\nauth_url = ${page.url}\nusername = nova\npassword = x\nproject_name = service\n[glance]\napi_servers = ${other.url}\n`
  const found = await failures(serviceChecks(programsOf('nova-api', conf)))
  const details = found.map(({ detail }) => detail).join('\n')
  assert.match(details, /a web server or proxy answers with a page/)
  assert.match(details, /the service network answers here/)
})

test('what is wrong in the files is a failure with file and line', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'kilonova-doctor-'))
  const file = join(directory, 'nova.conf')
  try {
    writeFileSync(file, '[DEFAULT]\nenable_apis = osapi_compute\nmy_ip = 198.51.100.77\n')
    const asked = { names: ['nova-conductor' as const], configFiles: [file], configDirs: [] }
    const { programs } = programsHere(asked)
    const found = (await Promise.all(configurationChecks(programs).map((check) => check.run()))).flat()
    const at = (line: number) => found.find(({ subject }) => subject === `${file}:${line}`)
    assert.match(at(2)?.fix ?? '', /enabled_apis/)
    assert.match(`${at(3)?.detail} ${at(3)?.fix}`, /198\.51\.100\.77|this host/)
    writeFileSync(file, '[DEFAULT]\ndebug = perhaps\n')
    const { problems } = programsHere(asked)
    assert.match(problems[0]?.detail ?? '', /nova\.conf:2: \[DEFAULT\] debug/)
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test("placement is set up by nova.conf where that has a database, which a compute host's has not", () => {
  const directory = mkdtempSync(join(tmpdir(), 'kilonova-doctor-'))
  const file = join(directory, 'nova.conf')
  const found = (content: string) => {
    writeFileSync(file, content)
    const asked = { names: [], configFiles: [file], configDirs: [] }
    return programsHere(asked).programs.map(({ name }) => name as string)
  }
  try {
    const compute = found('[DEFAULT]\nmy_ip = 127.0.0.1\n')
    assert.deepEqual([compute.includes('nova-compute'), compute.includes('placement-api')], [true, false])
    const controller = found('[api_database]\nconnection = sqlite:///nova_api\n')
    assert.deepEqual([controller.includes('nova-api'), controller.includes('placement-api')], [true, true])
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('a lock_path in which no lock can be made is told with its place', async () => {
  const conf = (path: string) => `[oslo_concurrency]\nlock_path = ${path}\n`
  const about = async (path: string) => {
    const found = await Promise.all(
      hostChecks(programsOf('neutron-dhcp-agent', conf(path))).map((check) => check.run()),
    )
    return found.flat().find(({ subject }) => subject === `lock_path ${path}`)
  }
  assert.equal((await about(join(tmpdir(), 'no-such-place', 'tmp')))?.result, 'ok')
  const wrong = await about(`${import.meta.filename}/tmp`)
  assert.equal(wrong?.result, 'failure')
  assert.match(wrong?.detail ?? '', /doctor\.test\.ts is no directory \(.*program\.conf:2\)/)
})

test('the report names the files, each finding and its remedy', () => {
  const programs = programsOf('nova-api', '')
  const text = report(programs, [
    { subject: 'a', result: 'ok', detail: 'fine' },
    { subject: 'b', result: 'failure', detail: 'broken', fix: 'mend it' },
  ])
  assert.match(text, /Programs set up here: nova-api/)
  assert.match(text, /✔ a: fine\n✘ b: broken\n {4}→ mend it/)
  assert.match(text, /2 checks: 1 failed, 0 with a warning\./)
})

test('a helper that cannot be started is told of where the agents are not root', () => {
  const here = programsOf(
    'neutron-dhcp-agent',
    '[agent]\nroot_helper = sudo neutron-rootwrap /etc/rootwrap.conf\n',
  )
  const asked: string[][] = []
  const world = {
    userOf: () => 'neutron' as string | undefined,
    hasSudo: () => true,
    allows: (user: string, command: readonly string[]) => {
      asked.push([user, ...command])
      return true
    },
    whyNot: (): string | undefined => undefined,
  }
  const results = (changes: Partial<typeof world>) =>
    checkRootHelper(here, { ...world, ...changes }).map(({ result, detail }) => `${result} ${detail}`)
  assert.deepEqual(results({}), ['ok can be started by sudo'])
  assert.match(asked[0]!.join(' '), /^neutron \/.*\/bin\/kilonova-rootwrap neutron$/)
  assert.deepEqual(results({ userOf: () => undefined }), [])
  assert.match(results({ hasSudo: () => false })[0]!, /^failure sudo is not installed/)
  assert.match(results({ allows: () => false })[0]!, /^failure sudo does not let neutron run/)
  assert.match(results({ whyNot: () => 'x' })[0]!, /^failure who changes/)
})
