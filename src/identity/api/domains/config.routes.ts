import { inTransaction } from '#base/db/transaction.ts'
import { Fault } from '#base/errors.ts'
import {
  type DomainOption,
  listDomainOptions,
  type OptionPath,
  removeDomainOptions,
  setDomainOptions,
} from '../../store/domain-config.ts'
import { getDomain } from '../../store/projects.ts'
import type { IdentityDeps, IdentityRequest, IdentityRoute } from '../identity-route.ts'
import {
  assertConfig,
  assertOption,
  defaultDomainConfig,
  invalidConfig,
  isSensitive,
  readableCompliance,
} from './config-options.ts'

type Config = Record<string, Record<string, unknown>>

const compliance = 'security_compliance'
const all = '/v3/domains/:domain_id/config'

const pathOf = ({ params }: IdentityRequest): OptionPath => ({
  group: params['group'],
  option: params['option'],
})

function notConfigured(domainId: string, { group, option }: OptionPath): Fault {
  const what =
    option === undefined
      ? group === undefined
        ? 'any options'
        : `group ${group}`
      : `option ${option} in group ${group}`
  return new Fault('not-found', `Could not find ${what} in domain configuration for domain ${domainId}.`)
}

/** What may be shown, as `{ group: { option: value } }`. */
async function shownConfig(deps: IdentityDeps, domainId: string, path: OptionPath = {}): Promise<Config> {
  const config: Config = {}
  for (const { group, option, value, sensitive } of await listDomainOptions(deps.db, domainId, path)) {
    if (sensitive) continue
    config[group] = { ...config[group], [option]: JSON.parse(value) }
  }
  return config
}

/** The whole, or without its group where one option was asked for. */
function trimmed(config: Config, { group, option }: OptionPath): unknown {
  return option === undefined ? config : { [option]: config[group!]![option] }
}

async function show(request: IdentityRequest, deps: IdentityDeps) {
  const path = pathOf(request)
  const { id } = await getDomain(deps.db, request.params['domain_id']!)
  if (path.group === compliance) return { config: showCompliance(id, path) }
  assertOption(path.group, path.option)
  const config = await shownConfig(deps, id, path)
  if (Object.keys(config).length === 0) throw notConfigured(id, path)
  return { config: trimmed(config, path) }
}

function showCompliance(domainId: string, { option }: OptionPath): unknown {
  if (domainId !== 'default') {
    throw invalidConfig(
      'Reading security compliance information for any domain other than the default domain is not allowed or supported.',
    )
  }
  if (option === undefined) return { [compliance]: readableCompliance }
  if (Object.hasOwn(readableCompliance, option)) return { [option]: readableCompliance[option] }
  throw invalidConfig(
    'Reading security compliance values other than password_regex and password_regex_description is not allowed.',
  )
}

function showDefault(request: IdentityRequest) {
  const path = pathOf(request)
  const { group, option } = path
  assertOption(group, option)
  if (group === undefined) return { config: defaultDomainConfig }
  if (option !== undefined && isSensitive(group, option)) {
    throw invalidConfig(`Reading the default for option ${option} in group ${group} is not supported`)
  }
  return { config: trimmed({ [group]: { ...defaultDomainConfig[group] } }, path) }
}

function givenConfig(request: IdentityRequest<{ config?: unknown } | undefined>): unknown {
  const config = request.body?.config ?? {}
  if (typeof config === 'object' && !Array.isArray(config)) return config
  throw new Fault('invalid', "The value of 'config' must be an object of groups of options.")
}

function toOptions(deps: IdentityDeps, config: Config): DomainOption[] {
  return Object.entries(config).flatMap(([group, options]) =>
    Object.entries(options).map(([option, given]) => {
      const sensitive = isSensitive(group, option)
      const value = JSON.stringify(given)
      return { group, option, value: sensitive ? deps.cipher.encrypt(value) : value, sensitive }
    }),
  )
}

async function replace(request: IdentityRequest<{ config?: unknown } | undefined>, deps: IdentityDeps) {
  const { id } = await getDomain(deps.db, request.params['domain_id']!)
  const config = givenConfig(request)
  assertConfig(config)
  const isNew = (await listDomainOptions(deps.db, id)).length === 0
  await inTransaction(deps.db, async (transaction) => {
    await removeDomainOptions(transaction, id)
    await setDomainOptions(transaction, id, toOptions(deps, config))
  })
  request.setStatus(isNew ? 201 : 200)
  return { config: await shownConfig(deps, id) }
}

async function change(request: IdentityRequest<{ config?: unknown } | undefined>, deps: IdentityDeps) {
  const path = pathOf(request)
  const { id } = await getDomain(deps.db, request.params['domain_id']!)
  const given = givenConfig(request)
  const config: unknown = path.option === undefined ? given : { [path.group!]: given }
  assertConfig(config)
  assertOption(path.group, path.option)
  await assertOnly(deps, id, config, path)
  await inTransaction(deps.db, (transaction) => setDomainOptions(transaction, id, toOptions(deps, config)))
  return { config: await shownConfig(deps, id) }
}

// What the address names, and nothing else, must be in the body, and be configured already.
async function assertOnly(deps: IdentityDeps, domainId: string, config: Config, path: OptionPath) {
  const { group, option } = path
  if (group === undefined) return
  const groups = Object.keys(config)
  const options = Object.keys(config[group] ?? {})
  if (groups.length !== 1 || (option !== undefined && options.length !== 1)) {
    const what = option === undefined ? `group ${group}` : `option ${option} in group ${group}`
    const kind = option === undefined ? 'group' : 'option'
    throw invalidConfig(
      `Trying to update ${what}, so that, and only that, ${kind} must be specified in the config`,
    )
  }
  if (groups[0] !== group) {
    throw invalidConfig(
      `request to update group ${group}, but config provided contains group ${groups[0]} instead`,
    )
  }
  if (option !== undefined && options[0] !== option) {
    throw invalidConfig(
      `Trying to update option ${option} in group ${group}, but config provided contains option ${options[0]} instead`,
    )
  }
  if ((await listDomainOptions(deps.db, domainId, path)).length === 0) throw notConfigured(domainId, path)
}

async function remove(request: IdentityRequest, deps: IdentityDeps): Promise<void> {
  const path = pathOf(request)
  const { id } = await getDomain(deps.db, request.params['domain_id']!)
  assertOption(path.group, path.option)
  const isThere = path.group === undefined || (await listDomainOptions(deps.db, id, path)).length > 0
  if (!isThere) throw notConfigured(id, path)
  await removeDomainOptions(deps.db, id, path)
}

export const domainConfigRoutes: readonly IdentityRoute[] = [
  ...['', '/:group', '/:group/:option'].flatMap((tail): IdentityRoute[] => [
    {
      get: `/v3/domains/config${tail}/default`,
      rule: 'identity:get_domain_config_default',
      handler: showDefault,
    },
    {
      get: `${all}${tail}`,
      rule: (request) =>
        request.params['group'] === compliance
          ? 'identity:get_security_compliance_domain_config'
          : 'identity:get_domain_config',
      handler: show,
    },
    { patch: `${all}${tail}`, rule: 'identity:update_domain_config', leavesTokens: true, handler: change },
    { delete: `${all}${tail}`, rule: 'identity:delete_domain_config', leavesTokens: true, handler: remove },
  ]),
  { put: all, rule: 'identity:create_domain_config', leavesTokens: true, handler: replace },
]
