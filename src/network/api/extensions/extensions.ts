/** Which extensions the configuration brings, and `/v2.0/extensions` that tells of them. */
import type { ApiRequest, Route } from '../../../base/http/route.ts'
import type { NetworkOptions } from '../../config.ts'
import { neutronFault } from '../../errors.ts'
import { readFields } from '../query.ts'
import type { ApiDeps } from '../resource.ts'
import { catalog, type Extension } from './catalog.ts'

/** Those that depend on a setting; all others are always there. */
const conditions: Readonly<Record<string, (options: NetworkOptions) => boolean>> = {
  'port-security': (options) => options.extensionDrivers.includes('port_security'),
  'dns-integration': (options) => options.extensionDrivers.includes('dns'),
  'filter-validation': (options) => options.filterValidation,
  'security-group': (options) => options.enableSecurityGroup,
  'stateful-security-group': (options) => options.enableSecurityGroup,
  'security-groups-normalized-cidr': (options) => options.enableSecurityGroup,
  'security-groups-remote-address-group': (options) => options.enableSecurityGroup,
  'security-groups-shared-filtering': (options) => options.enableSecurityGroup,
  'allowed-address-pairs': (options) => options.enableSecurityGroup,
  'address-group': (options) => options.enableSecurityGroup,
  'rbac-address-group': (options) => options.enableSecurityGroup,
  'rbac-security-groups': (options) => options.enableSecurityGroup,
  'port-security-groups-filtering': (options) => options.enableSecurityGroup,
}

/** The aliases that this configuration has. */
export const configuredAliases = (options: NetworkOptions): ReadonlySet<string> =>
  new Set(catalog.map((extension) => extension.alias).filter((alias) => conditions[alias]?.(options) ?? true))

export const extensionRoutes: readonly Route<ApiDeps>[] = [
  {
    get: '/v2.0/extensions',
    policy: 'network_api',
    handler: (request, deps) => ({ extensions: present(deps).map((extension) => view(extension, request)) }),
  },
  {
    get: '/v2.0/extensions/:alias',
    policy: 'network_api',
    handler: (request, deps) => {
      const { alias } = request.params
      const extension = present(deps).find((candidate) => candidate.alias === alias)
      if (extension === undefined)
        throw neutronFault('not-found', 'HTTPNotFound', `Extension with alias ${alias} does not exist`)
      return { extension: view(extension, request) }
    },
  },
]

const present = (deps: ApiDeps): Extension[] =>
  catalog.filter((extension) => deps.aliases.has(extension.alias))

function view(extension: Extension, request: ApiRequest): Record<string, unknown> {
  const whole: Record<string, unknown> = { ...extension, links: [] }
  const fields = readFields(request.query)
  if (fields.length === 0) return whole
  return Object.fromEntries(fields.filter((field) => field in whole).map((field) => [field, whole[field]]))
}
