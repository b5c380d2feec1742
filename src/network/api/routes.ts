/** All of the API, from what is configured. */
import type { Route } from '../../base/http/route.ts'
import type { NetworkOptions } from '../config.ts'
import { mechanismDrivers } from '../ml2/binding.ts'
import { typeDrivers } from '../ml2/segments.ts'
import { withExtensions } from './attributes.ts'
import { configuredAliases, extensionRoutes } from './extensions/extensions.ts'
import { networkResource } from './networks/network.ts'
import { portResource } from './ports/port.ts'
import type { AnyResource, ApiDeps } from './resource.ts'
import { resourceRoutes } from './resource-routes.ts'
import { securityGroupRuleResource } from './security-group-rules/rule.ts'
import { securityGroupResource } from './security-groups/security-group.ts'
import { subnetResource } from './subnets/subnet.ts'
import { versionRoutes } from './versions.ts'

/** Every resource, with the attributes of the configured extensions. */
export function networkResources(options: NetworkOptions): AnyResource[] {
  const aliases = configuredAliases(options)
  const mechanisms = mechanismDrivers(options)
  const resources: AnyResource[] = [
    networkResource(typeDrivers(options)),
    subnetResource(),
    portResource(mechanisms, options),
  ]
  if (aliases.has('security-group')) resources.push(securityGroupResource(), securityGroupRuleResource())
  return resources.map((resource) => ({
    ...resource,
    attributes: withExtensions(resource.attributes, aliases),
  }))
}

export function networkRoutes(options: NetworkOptions): Route<ApiDeps>[] {
  const resources = networkResources(options)
  return [...versionRoutes(resources), ...extensionRoutes, ...resources.flatMap(resourceRoutes)]
}
