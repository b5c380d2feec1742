/**
 * What a domain may configure for itself, with keystone's defaults. Identity stores these settings and answers with
 * them; like a keystone with `domain_specific_drivers_enabled = false` it does not act on them.
 */
import { Fault } from '#base/errors.ts'

type Value = string | number | boolean | null | readonly string[]
type Group = Readonly<Record<string, Value>>

export const defaultDomainConfig: Readonly<Record<string, Group>> = {
  identity: { driver: 'sql', list_limit: null },
  ldap: {
    url: 'ldap://localhost',
    user: null,
    suffix: 'cn=example,cn=com',
    query_scope: 'one',
    page_size: 0,
    alias_dereferencing: 'default',
    debug_level: null,
    chase_referrals: null,
    user_tree_dn: null,
    user_filter: null,
    user_objectclass: 'inetOrgPerson',
    user_id_attribute: 'cn',
    user_name_attribute: 'sn',
    user_mail_attribute: 'mail',
    user_description_attribute: 'description',
    user_pass_attribute: 'userPassword',
    user_enabled_attribute: 'enabled',
    user_enabled_invert: false,
    user_enabled_mask: 0,
    user_enabled_default: 'True',
    user_attribute_ignore: ['default_project_id'],
    user_default_project_id_attribute: null,
    user_enabled_emulation: false,
    user_enabled_emulation_dn: null,
    user_enabled_emulation_use_group_config: false,
    user_additional_attribute_mapping: [],
    group_tree_dn: null,
    group_filter: null,
    group_objectclass: 'groupOfNames',
    group_id_attribute: 'cn',
    group_name_attribute: 'ou',
    group_members_are_ids: false,
    group_member_attribute: 'member',
    group_desc_attribute: 'description',
    group_attribute_ignore: [],
    group_additional_attribute_mapping: [],
    tls_cacertfile: null,
    tls_cacertdir: null,
    use_tls: false,
    tls_req_cert: 'demand',
    use_pool: true,
    pool_size: 10,
    pool_retry_max: 3,
    pool_retry_delay: 0.1,
    pool_connection_timeout: -1,
    pool_connection_lifetime: 600,
    use_auth_pool: true,
    auth_pool_size: 100,
    auth_pool_connection_lifetime: 60,
  },
}

/** Settable, but never shown again. */
const sensitive: Readonly<Record<string, readonly string[]>> = { ldap: ['password'] }

export const isSensitive = (group: string, option: string): boolean =>
  sensitive[group]?.includes(option) === true

/** What users may read of `security_compliance`, so that they learn what a password must look like. */
export const readableCompliance: Group = { password_regex: null, password_regex_description: null }

/** Keystone answers 403 where a configuration is not possible. */
export const invalidConfig = (reason: string): Fault =>
  new Fault('forbidden', `Invalid domain specific configuration: ${reason}.`)

/** Throws where there is no such group or option to configure. */
export function assertOption(group: string | undefined, option?: string): void {
  if (group === undefined) return
  if (!Object.hasOwn(defaultDomainConfig, group)) {
    throw invalidConfig(`Group ${group} is not supported for domain specific configurations`)
  }
  if (option === undefined || isSensitive(group, option)) return
  if (Object.hasOwn(defaultDomainConfig[group]!, option)) return
  throw invalidConfig(
    `Option ${option} in group ${group} is not supported for domain specific configurations`,
  )
}

/** Throws unless it is `{ group: { option: value } }` with at least one known option in each group. */
export function assertConfig(config: unknown): asserts config is Record<string, Record<string, unknown>> {
  if (!isFilled(config)) throw invalidConfig('No options specified')
  for (const [group, options] of Object.entries(config)) {
    if (!isFilled(options)) {
      throw invalidConfig(
        `The value of group ${group} specified in the config should be a dictionary of options`,
      )
    }
    for (const option of Object.keys(options)) assertOption(group, option)
  }
}

const isFilled = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value) && Object.keys(value).length > 0
