/** All of compute's routes. */
import type { Route } from '../../base/http/route.ts'
import { aggregateRoutes } from './aggregates/aggregates.routes.ts'
import { availabilityZoneRoutes } from './availability-zones/availability-zones.routes.ts'
import type { EngineDeps, HostDeps, ImageDeps, NetworkDeps, ProjectDeps } from './deps.ts'
import { extensionRoutes } from './extensions/extensions.routes.ts'
import { extraSpecRoutes } from './flavors/extra-specs.routes.ts'
import { flavorRoutes } from './flavors/flavors.routes.ts'
import { goneRoutes } from './gone/gone.routes.ts'
import { hostRoutes } from './hosts/hosts.routes.ts'
import { hypervisorRoutes } from './hypervisors/hypervisors.routes.ts'
import { instanceActionRoutes } from './instance-actions/instance-actions.routes.ts'
import { keypairRoutes } from './keypairs/keypairs.routes.ts'
import { limitRoutes } from './limits/limits.routes.ts'
import { migrationRoutes } from './migrations/migrations.routes.ts'
import { imageMetadataRoutes } from './proxies/image-metadata.routes.ts'
import { imageRoutes } from './proxies/images.routes.ts'
import { networkRoutes } from './proxies/networks.routes.ts'
import { quotaClassRoutes } from './quota-sets/quota-class-sets.routes.ts'
import { quotaSetRoutes } from './quota-sets/quota-sets.routes.ts'
import { securityGroupRoutes } from './security-groups/security-groups.routes.ts'
import { serverActionRoutes } from './server-actions/server-actions.routes.ts'
import { serverConsoleRoutes } from './server-consoles/server-consoles.routes.ts'
import { serverExternalEventRoutes } from './server-external-events/server-external-events.routes.ts'
import { serverGroupRoutes } from './server-groups/server-groups.routes.ts'
import { serverInterfaceRoutes } from './server-interfaces/server-interfaces.routes.ts'
import { serverMetadataRoutes } from './server-metadata/server-metadata.routes.ts'
import { serverTagRoutes } from './server-tags/server-tags.routes.ts'
import { serverRoutes } from './servers/servers.routes.ts'
import { serviceRoutes } from './services/services.routes.ts'
import { auditLogRoutes } from './usage/audit-log.routes.ts'
import { usageRoutes } from './usage/usage.routes.ts'

export interface ComputeApiDeps extends HostDeps, ProjectDeps, NetworkDeps, EngineDeps, ImageDeps {}

/** Their paths start after `/v2.1`. */
export const computeRoutes: readonly Route<ComputeApiDeps>[] = [
  ...serverRoutes,
  ...serverActionRoutes,
  ...serverMetadataRoutes,
  ...serverTagRoutes,
  ...serverInterfaceRoutes,
  ...serverConsoleRoutes,
  ...instanceActionRoutes,
  ...serverExternalEventRoutes,
  ...extensionRoutes,
  ...flavorRoutes,
  ...extraSpecRoutes,
  ...keypairRoutes,
  ...limitRoutes,
  ...quotaSetRoutes,
  ...quotaClassRoutes,
  ...aggregateRoutes,
  ...availabilityZoneRoutes,
  ...serviceRoutes,
  ...hypervisorRoutes,
  ...hostRoutes,
  ...serverGroupRoutes,
  ...migrationRoutes,
  ...usageRoutes,
  ...auditLogRoutes,
  ...securityGroupRoutes,
  ...networkRoutes,
  ...imageRoutes,
  ...imageMetadataRoutes,
  ...goneRoutes,
]
