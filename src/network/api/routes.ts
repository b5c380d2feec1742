/** All of the API, from what is configured. */
import type { Route } from '../../base/http/route.ts'
import type { NetworkOptions } from '../config.ts'
import { mechanismDrivers } from '../ml2/binding.ts'
import { typeDrivers } from '../ml2/segments.ts'
import { actionRoute } from './actions.ts'
import { addAddresses, addressGroupResource, removeAddresses } from './address-groups/address-group.ts'
import { addressScopeResource } from './address-scopes/address-scope.ts'
import { agentResource } from './agents/agent.ts'
import { withExtensions } from './attributes.ts'
import { availabilityZoneRoutes } from './availability-zones/availability-zones.routes.ts'
import { dhcpAgentRoutes } from './dhcp-agents/dhcp-agents.routes.ts'
import { configuredAliases, extensionRoutes } from './extensions/extensions.ts'
import { flavorAssociationRoutes } from './flavors/associations.routes.ts'
import { flavorResource } from './flavors/flavor.ts'
import { serviceProfileResource } from './flavors/service-profile.ts'
import { ipAvailabilityRoutes } from './network-ip-availability/availability.routes.ts'
import { networkResource } from './networks/network.ts'
import { portResource } from './ports/port.ts'
import { quotaRoutes } from './quotas/quotas.routes.ts'
import { rbacPolicyResource } from './rbac-policies/rbac-policy.ts'
import type { AnyResource, ApiDeps } from './resource.ts'
import { resourceRoutes } from './resource-routes.ts'
import { securityGroupRuleResource } from './security-group-rules/rule.ts'
import { securityGroupResource } from './security-groups/security-group.ts'
import { serviceProviderRoutes } from './service-providers/service-providers.routes.ts'
import { onboardNetworkSubnets } from './subnetpools/onboard-subnets.ts'
import { addPrefixes, removePrefixes } from './subnetpools/prefix-actions.ts'
import { subnetPoolResource } from './subnetpools/subnetpool.ts'
import { subnetResource } from './subnets/subnet.ts'
import { tagRoutes } from './tags/tags.routes.ts'
import { versionRoutes } from './versions.ts'

/** Every resource, with the attributes of the configured extensions. */
export function networkResources(options: NetworkOptions): AnyResource[] {
  const aliases = configuredAliases(options)
  const resources: AnyResource[] = [
    networkResource(typeDrivers(options)),
    subnetResource(),
    portResource(mechanismDrivers(options), options),
    subnetPoolResource(),
    addressScopeResource(),
    agentResource(options),
    rbacPolicyResource(),
    flavorResource(),
    serviceProfileResource(),
  ]
  if (aliases.has('security-group'))
    resources.push(securityGroupResource(), securityGroupRuleResource(), addressGroupResource())
  return resources.map((resource) => ({
    ...resource,
    attributes: withExtensions(resource.attributes, aliases),
  }))
}

export function networkRoutes(options: NetworkOptions): Route<ApiDeps>[] {
  const resources = networkResources(options)
  const named = (name: string): AnyResource => resources.find((resource) => resource.name === name)!
  const addressGroups = resources.filter((resource) => resource.name === 'address_group')
  return [
    ...versionRoutes(resources),
    ...extensionRoutes,
    ...resources.flatMap(resourceRoutes),
    ...resources.filter((resource) => resource.tagged === true).flatMap(tagRoutes),
    ...[addPrefixes, removePrefixes, onboardNetworkSubnets].map((action) =>
      actionRoute(named('subnetpool'), action),
    ),
    ...addressGroups.flatMap((resource) =>
      [addAddresses, removeAddresses].map((action) => actionRoute(resource, action)),
    ),
    ...dhcpAgentRoutes({ networks: named('network'), agents: named('agent') }),
    ...availabilityZoneRoutes,
    ...quotaRoutes,
    ...ipAvailabilityRoutes,
    ...serviceProviderRoutes,
    ...flavorAssociationRoutes,
  ]
}
