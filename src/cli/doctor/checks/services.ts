/** Identity and the services that a program calls: logged in to, found, and what they seem to be. */
import {
  type AuthSettings,
  authOptions,
  type SessionSettings,
  sessionOptions,
} from '../../../base/config/common/auth.ts'
import type { Config, Options } from '../../../base/config/option.ts'
import { sectionOf } from '../../../base/config/section.ts'
import { describeError, isFault } from '../../../base/errors.ts'
import type { Send } from '../../../base/http/client.ts'
import { identityAt, tokenSourceOf } from '../../daemons/clients.ts'
import { type Check, type Finding, failure, ok, warning } from '../finding.ts'
import { type ProgramHere, textOf, whereOf } from '../programs-here.ts'
import { portFinding, reach } from '../reach.ts'
import { type ServiceType, serviceAt } from '../service-at.ts'
import { describePeer, strangers } from './peers.ts'

/** Sections that say who a program is, by the prefix of their keys in the tables. */
const sections = {
  authtoken: 'keystone_authtoken',
  placement: 'placement',
  neutron: 'neutron',
  nova: 'nova',
  serviceUser: 'service_user',
} as const

/** The service that a section is for: its user must find it in the catalog. */
const serviceOf: Partial<Record<keyof typeof sections, ServiceType>> = {
  placement: 'placement',
  neutron: 'network',
  nova: 'compute',
}

interface Login {
  section: string
  where: string
  settings: AuthSettings & SessionSettings
  service: ServiceType | undefined
  /** Whose configuration names it. */
  program: ProgramHere
}

export function serviceChecks(programs: readonly ProgramHere[]): Check[] {
  const logins = loginsOf(programs)
  if (logins.length === 0) return []
  return [
    { about: 'identity', run: async () => (await Promise.all(authUrls(logins).map(checkIdentity))).flat() },
    {
      about: 'service users',
      run: async () => {
        const others = othersThan(logins, programs)
        const found = logins.map((login, at) => checkLogin(login, at === 0 ? others : [], programs))
        return (await Promise.all(found)).flat()
      },
    },
    {
      about: 'fixed addresses',
      run: async () => (await Promise.all(fixedUrls(programs).map(checkUrl))).flat(),
    },
  ]
}

/** Services that no section is for: they are met in the catalog only. */
function othersThan(logins: readonly Login[], programs: readonly ProgramHere[]): ServiceType[] {
  const known = [...logins.map(({ service }) => service), ...fixedUrls(programs).map(({ type }) => type)]
  const all: readonly ServiceType[] = ['compute', 'network', 'image', 'placement']
  return all.filter((type) => !known.includes(type))
}

function loginsOf(programs: readonly ProgramHere[]): Login[] {
  const found = new Map<string, Login>()
  for (const program of programs) {
    for (const [prefix, section] of Object.entries(sections) as [keyof typeof sections, string][]) {
      const url = textOf(program.config, `${prefix}AuthUrl`)
      if (url === undefined || url === '') continue
      const read = <O extends Options>(options: O) =>
        sectionOf(program.config as never, prefix, options) as Config<O>
      const settings = { ...read(authOptions), ...read(sessionOptions) }
      const where = whereOf(program, `${prefix}AuthUrl`)
      const known = [section, url, settings.username, settings.password, settings.projectName].join('\n')
      if (!found.has(known))
        found.set(known, { section, where, settings, service: serviceOf[prefix], program })
    }
  }
  return [...found.values()]
}

const authUrls = (logins: readonly Login[]): { url: string; where: string }[] => {
  const byUrl = new Map(logins.map((login) => [login.settings.authUrl!, login.where]))
  return [...byUrl].map(([url, where]) => ({ url, where }))
}

function fixedUrls(programs: readonly ProgramHere[]): { url: string; where: string; type: ServiceType }[] {
  const found = new Map<string, { url: string; where: string; type: ServiceType }>()
  const add = (program: ProgramHere, key: string, type: ServiceType, url: unknown): void => {
    if (typeof url === 'string' && url !== '') found.set(url, { url, where: whereOf(program, key), type })
  }
  for (const program of programs) {
    const { config } = program
    const images = config['glanceApiServers']
    if (Array.isArray(images)) for (const url of images) add(program, 'glanceApiServers', 'image', url)
    add(program, 'placementEndpointOverride', 'placement', config['placementEndpointOverride'])
    add(program, 'neutronEndpointOverride', 'network', config['neutronEndpointOverride'])
    add(program, 'novaEndpointOverride', 'compute', config['novaEndpointOverride'])
  }
  return [...found.values()]
}

async function checkIdentity({ url, where }: { url: string; where: string }): Promise<Finding[]> {
  const findings = await checkUrl({ url, where, type: 'identity' })
  if (findings.some(({ result }) => result === 'failure')) return findings
  const { clock } = await serviceAt(url)
  return clock === undefined ? findings : [...findings, clockFinding(clock - Date.now())]
}

/** Tokens and signs of life carry times: hosts must agree on what time it is. */
function clockFinding(aheadMilliseconds: number): Finding {
  const seconds = Math.abs(Math.round(aheadMilliseconds / 1000))
  const subject = 'clock, beside that of identity'
  if (seconds <= 2) return ok(subject, 'the same')
  const detail = `this host is ${seconds} s ${aheadMilliseconds > 0 ? 'behind' : 'ahead'}`
  const fix = 'Set the clocks by NTP on all hosts: apt-get install chrony, then chronyc makestep.'
  return seconds <= 30 ? warning(subject, detail, fix) : failure(subject, detail, fix)
}

async function checkUrl(at: { url: string; where: string; type: ServiceType }): Promise<Finding[]> {
  const { url, where, type } = at
  const subject = `${type} ${url}`
  let address: URL
  try {
    address = new URL(url.replace(/[%$]\(.*/, ''))
  } catch {
    return [failure(subject, `${where} is no URL`, 'Write http://HOST:PORT.')]
  }
  const port = Number(address.port || (address.protocol === 'https:' ? 443 : 80))
  const host = address.hostname.replace(/^\[|\]$/g, '')
  const reached = await reach(host, port)
  if (!reached.reached) return [portFinding(subject, { host, port }, reached, where)]
  try {
    const answer = await serviceAt(url)
    if (answer.is === type) return [ok(subject, `answers: ${describePeer(type, answer.whose)}`)]
    if (answer.is === 'html') {
      return [
        failure(
          subject,
          `a web server or proxy answers with a page (HTTP ${answer.status}), not ${type}`,
          `What listens at port ${port} of ${host}? A web server in front must pass requests on to the service.`,
        ),
      ]
    }
    const is =
      answer.is === 'something else' ? 'something that is no OpenStack service' : `the service ${answer.is}`
    return [failure(subject, `${is} answers here (${where})`, `Correct the URL: it should lead to ${type}.`)]
  } catch (error) {
    return [failure(subject, describeError(error), 'Look at the log of the service.')]
  }
}

async function checkLogin(
  login: Login,
  others: readonly ServiceType[],
  programs: readonly ProgramHere[],
): Promise<Finding[]> {
  const { section, where, settings, service } = login
  const subject = `user ${settings.username ?? settings.userId ?? ''} of [${section}] (${where})`
  let identity: Send
  let token: string
  try {
    identity = identityAt(section, settings)
    token = await tokenSourceOf(section, settings, identity)()
  } catch (error) {
    return [failure(subject, describeError(error), loginFix(error, settings))]
  }
  const reply = await identity({
    method: 'GET',
    path: '/v3/auth/tokens',
    headers: { 'x-auth-token': token, 'x-subject-token': token },
  })
  const body = (reply.body ?? {}) as TokenBody
  const roles = (body.token?.roles ?? []).map(({ name }) => name)
  const findings = [
    roles.includes('admin') || roles.includes('service')
      ? ok(subject, `logs in, with the roles ${roles.join(', ')} in project ${settings.projectName ?? ''}`)
      : failure(
          subject,
          `logs in, but has only the roles ${roles.join(', ')}`,
          `openstack role add --project ${settings.projectName} --user ${settings.username} admin`,
        ),
  ]
  const catalog = body.token?.catalog ?? []
  if (service !== undefined) findings.push(...(await checkCatalog(login, service, catalog)))
  for (const type of others) {
    const endpoints = catalog.filter((one) => one.type === type).flatMap((one) => one.endpoints)
    const found = endpoints.find((one) => one.interface === 'internal') ?? endpoints[0]
    if (found !== undefined) findings.push(...(await checkPeer(found.url, type, programs)))
  }
  return findings
}

async function checkPeer(
  url: string,
  type: ServiceType,
  programs: readonly ProgramHere[],
): Promise<Finding[]> {
  const findings = await checkUrl({ url, where: 'the catalog', type })
  if (type !== 'compute' || findings.some(({ result }) => result === 'failure')) return findings
  const answer = await serviceAt(url)
  return 'whose' in answer ? [...findings, ...strangers(programs, `compute ${url}`, answer.whose)] : findings
}

interface TokenBody {
  token?: {
    roles?: { name: string }[]
    catalog?: { type: string; endpoints: { interface: string; region_id: string; url: string }[] }[]
  }
}

async function checkCatalog(
  login: Login,
  type: ServiceType,
  catalog: NonNullable<NonNullable<TokenBody['token']>['catalog']>,
): Promise<Finding[]> {
  const { config } = login.program
  const prefix = (Object.keys(sections) as (keyof typeof sections)[]).find((key) => serviceOf[key] === type)!
  if (textOf(config, `${prefix}EndpointOverride`)) return []
  const region = textOf(config, `${prefix}RegionName`)
  const endpoints = catalog.filter((one) => one.type === type).flatMap((one) => one.endpoints)
  const interfaces = (config[`${prefix}ValidInterfaces`] as readonly string[] | undefined) ?? [
    'internal',
    'public',
  ]
  const found = interfaces
    .map((name) => endpoints.find((one) => one.interface === name && (!region || one.region_id === region)))
    .find((one) => one !== undefined)
  if (found !== undefined) return await checkUrl({ url: found.url, where: 'the catalog', type })
  const where = region ? ` in region ${region}` : ''
  const regions = [...new Set(endpoints.map((one) => one.region_id))]
  const other = regions.length > 0 ? `; it has some in ${regions.join(', ')}` : ''
  return [
    failure(
      `${type} in the catalog`,
      `there is no ${interfaces.join(' or ')} endpoint of ${type}${where}${other}`,
      `openstack endpoint create --region ${region ?? 'RegionOne'} ${type} internal http://HOST:PORT`,
    ),
  ]
}

function loginFix(error: unknown, settings: AuthSettings): string {
  const { username, projectName } = settings
  if (isFault(error, 'unauthenticated')) {
    return (
      `Is the password that of identity (openstack user set --password-prompt ${username}), do the domains ` +
      `exist, and does the user have a role: openstack role add --project ${projectName} --user ${username} admin`
    )
  }
  return isFault(error, 'invalid') ? 'Complete the section.' : 'Look at identity first.'
}
