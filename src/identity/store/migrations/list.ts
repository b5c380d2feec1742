import type { Migration } from '#base/db/migrate.ts'
import { createResources } from './001-resources.ts'
import { createCredentials } from './002-credentials.ts'
import { createEndpointFilters } from './003-endpoint-filters.ts'
import { createDomainConfig } from './004-domain-config.ts'
import { createOauth1 } from './005-oauth1.ts'
import { createPolicyAssociations } from './006-policy-associations.ts'

export const migrations: readonly Migration[] = [
  { name: '001-resources', up: createResources },
  { name: '002-credentials', up: createCredentials },
  { name: '003-endpoint-filters', up: createEndpointFilters },
  { name: '004-domain-config', up: createDomainConfig },
  { name: '005-oauth1', up: createOauth1 },
  { name: '006-policy-associations', up: createPolicyAssociations },
]
