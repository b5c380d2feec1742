/** What quotas there are. Those with `until` limited what Network limits now; they show as unlimited. */
import { type Microversion, parseVersion } from '../../../base/http/microversion.ts'
import type { QuotaLimits } from '../../config.ts'

export type QuotaResource = keyof QuotaLimits | NetworkResource
type NetworkResource = 'fixed_ips' | 'floating_ips' | 'security_groups' | 'security_group_rules'

interface ResourceRule {
  /** The last microversion of quota sets and classes that has it. */
  until?: string
  /** For what a user has, not a project. */
  perUser?: true
}

export const quotaResources: Readonly<Record<QuotaResource, ResourceRule>> = {
  cores: {},
  fixed_ips: { until: '2.35' },
  floating_ips: { until: '2.35' },
  injected_file_content_bytes: { until: '2.56' },
  injected_file_path_bytes: { until: '2.56' },
  injected_files: { until: '2.56' },
  instances: {},
  key_pairs: { perUser: true },
  metadata_items: {},
  ram: {},
  security_group_rules: { until: '2.35' },
  security_groups: { until: '2.35' },
  server_group_members: {},
  server_groups: {},
}

export const resourceNames = Object.keys(quotaResources) as QuotaResource[]

/** The resources that a microversion knows. */
export const resourcesAt = (version: Microversion): QuotaResource[] =>
  resourceNames.filter((name) => {
    const { until } = quotaResources[name]
    return until === undefined || version <= parseVersion(until)
  })
