/** Identity's tables, under keystone's names. Booleans are 0 or 1, `extra` and `options` are JSON, times ISO text. */
import type { Generated } from 'kysely'

export interface ProjectTable {
  id: string
  name: string
  /** A domain is a project that acts as one; its own `domain_id` is `rootDomain`. */
  domain_id: string
  parent_id: string | null
  is_domain: number
  description: string | null
  enabled: number
  extra: string
  options: string
}

export interface ProjectTagTable {
  project_id: string
  name: string
}

export interface UserTable {
  id: string
  domain_id: string
  enabled: number
  default_project_id: string | null
  created_at: string
  extra: string
  options: string
}

export interface LocalUserTable {
  user_id: string
  domain_id: string
  name: string
}

export interface PasswordTable {
  user_id: string
  password_hash: string
  created_at: string
  expires_at: string | null
}

export interface GroupTable {
  id: string
  domain_id: string
  name: string
  description: string | null
  extra: string
}

export interface MembershipTable {
  user_id: string
  group_id: string
}

export interface RoleTable {
  id: string
  name: string
  /** `globalRole` for a role that is not of one domain, so that names stay unique. */
  domain_id: string
  description: string | null
  extra: string
  options: string
}

export interface ImpliedRoleTable {
  prior_role_id: string
  implied_role_id: string
}

export type AssignmentType = 'UserProject' | 'GroupProject' | 'UserDomain' | 'GroupDomain'

export interface AssignmentTable {
  type: AssignmentType
  actor_id: string
  target_id: string
  role_id: string
  inherited: number
}

export interface SystemAssignmentTable {
  type: 'UserSystem' | 'GroupSystem'
  actor_id: string
  role_id: string
}

export interface ServiceTable {
  id: string
  type: string
  enabled: number
  extra: string
}

export interface EndpointTable {
  id: string
  service_id: string
  interface: string
  region_id: string | null
  url: string
  enabled: number
  extra: string
}

export interface RegionTable {
  id: string
  description: string
  parent_region_id: string | null
  extra: string
}

export interface EndpointGroupTable {
  id: string
  name: string
  description: string | null
  /** JSON: `service_id`, `region_id` and `interface` of the endpoints in it. */
  filters: string
}

export interface PolicyTable {
  id: string
  type: string
  blob: string
  extra: string
}

/** For an endpoint alone, a service alone, or a service and a region. */
export interface PolicyAssociationTable {
  id: string
  policy_id: string
  endpoint_id: string | null
  service_id: string | null
  region_id: string | null
}

/** An option that a domain has set; the value is JSON, and encrypted in `sensitive_config`. */
export interface DomainConfigTable {
  domain_id: string
  group: string
  option: string
  value: string
}

export interface CredentialTable {
  id: string
  user_id: string
  project_id: string | null
  type: string
  blob: string
  extra: string
}

export interface ApplicationCredentialTable {
  id: string
  name: string
  user_id: string
  project_id: string
  secret_hash: string
  description: string | null
  expires_at: string | null
  unrestricted: number
  /** JSON: ids of access rules; null where the credential has none asked for. */
  access_rule_ids: string | null
  role_ids: string
}

export interface AccessRuleTable {
  id: string
  user_id: string
  service: string
  method: string
  path: string
}

export interface TrustTable {
  id: string
  trustor_user_id: string
  trustee_user_id: string
  project_id: string | null
  impersonation: number
  expires_at: string | null
  remaining_uses: number | null
  redelegation_count: number
  redelegated_trust_id: string | null
  role_ids: string
  deleted_at: string | null
  extra: string
}

export interface ConsumerTable {
  id: string
  description: string | null
  secret: string
  extra: string
}

export interface RequestTokenTable {
  id: string
  request_secret: string
  /** Set, as are the user and the roles, once a user authorized it. */
  verifier: string | null
  authorizing_user_id: string | null
  requested_project_id: string
  role_ids: string | null
  consumer_id: string
  expires_at: string
}

export interface AccessTokenTable {
  id: string
  access_secret: string
  authorizing_user_id: string
  project_id: string
  role_ids: string
  consumer_id: string
  expires_at: string
}

export interface RegisteredLimitTable {
  id: string
  service_id: string
  region_id: string | null
  resource_name: string
  default_limit: number
  description: string | null
}

export interface LimitTable {
  id: string
  registered_limit_id: string
  project_id: string | null
  domain_id: string | null
  resource_limit: number
  description: string | null
}

export interface RevocationEventTable {
  id: Generated<number>
  audit_id: string | null
  audit_chain_id: string | null
  user_id: string | null
  project_id: string | null
  domain_id: string | null
  /** Tokens issued until then are revoked. */
  issued_before: string
  revoked_at: string
}

/** One row: counts changes to what tokens stand on, so that other processes notice. */
export interface TokenGenerationTable {
  id: number
  generation: number
}

export interface Tables {
  project: ProjectTable
  project_tag: ProjectTagTable
  user: UserTable
  local_user: LocalUserTable
  password: PasswordTable
  group: GroupTable
  user_group_membership: MembershipTable
  role: RoleTable
  implied_role: ImpliedRoleTable
  assignment: AssignmentTable
  system_assignment: SystemAssignmentTable
  service: ServiceTable
  endpoint: EndpointTable
  region: RegionTable
  project_endpoint: { endpoint_id: string; project_id: string }
  endpoint_group: EndpointGroupTable
  project_endpoint_group: { endpoint_group_id: string; project_id: string }
  policy: PolicyTable
  policy_association: PolicyAssociationTable
  whitelisted_config: DomainConfigTable
  sensitive_config: DomainConfigTable
  credential: CredentialTable
  application_credential: ApplicationCredentialTable
  access_rule: AccessRuleTable
  trust: TrustTable
  consumer: ConsumerTable
  request_token: RequestTokenTable
  access_token: AccessTokenTable
  registered_limit: RegisteredLimitTable
  limit: LimitTable
  revocation_event: RevocationEventTable
  token_generation: TokenGenerationTable
}

/** What keystone writes as the domain of a domain. */
export const rootDomain = '<<keystone.domain.root>>'

/** What keystone writes as the domain of a role that belongs to none. */
export const globalRole = '<<null>>'
