/**
 * Who may do what: the defaults of OpenStack Zed, where what was allowed before secure RBAC is still allowed. A
 * `policy.yaml` overrides any of them.
 */
const admin = 'rule:admin_required'
const systemReader = 'role:reader and system_scope:all'
const adminOrSystemReader = `${admin} or (${systemReader})`
const systemOrDomainReader = (domain: string): string =>
  `${adminOrSystemReader} or (role:reader and domain_id:%(${domain})s)`
const ownCredential = 'user_id:%(target.credential.user_id)s'
const ownTarget = 'user_id:%(target.user.id)s'
const trustor = 'user_id:%(target.trust.trustor_user_id)s'
const trustee = 'user_id:%(target.trust.trustee_user_id)s'
const projectReader = `${systemOrDomainReader('target.project.domain_id')} or project_id:%(target.project.id)s`

// A domain's own people may see and change grants that stay within the domain.
const withinDomain = (role: string): string =>
  ['user', 'group']
    .flatMap((actor) => ['project.domain_id', 'domain.id'].map((target) => [actor, target]))
    .map(
      ([actor, target]) =>
        `(role:${role} and domain_id:%(target.${actor}.domain_id)s and domain_id:%(target.${target})s)`,
    )
    .join(' or ')
const grantableRole = '(domain_id:%(target.role.domain_id)s or None:%(target.role.domain_id)s)'

/** `identity:<verb>_<thing>` for each verb: what most resources of administrators need. */
const administered = (one: string, many: string): Record<string, string> => ({
  [`identity:get_${one}`]: adminOrSystemReader,
  [`identity:list_${many}`]: adminOrSystemReader,
  [`identity:create_${one}`]: admin,
  [`identity:update_${one}`]: admin,
  [`identity:delete_${one}`]: admin,
})

export const policyDefaults: Readonly<Record<string, string>> = {
  admin_required: 'role:admin or is_admin:1',
  service_role: 'role:service',
  service_or_admin: 'rule:admin_required or rule:service_role',
  owner: 'user_id:%(user_id)s',
  admin_or_owner: 'rule:admin_required or rule:owner',
  token_subject: 'user_id:%(target.token.user_id)s',

  'identity:get_auth_catalog': '',
  'identity:get_auth_projects': '',
  'identity:get_auth_domains': '',
  'identity:get_auth_system': '',
  'identity:check_token': `${adminOrSystemReader} or rule:token_subject`,
  'identity:validate_token': `${adminOrSystemReader} or rule:service_role or rule:token_subject`,
  'identity:list_revoke_events': 'rule:service_or_admin',
  'identity:revoke_token': `${admin} or rule:token_subject`,

  ...administered('domain', 'domains'),
  'identity:get_domain': `${adminOrSystemReader} or token.domain.id:%(target.domain.id)s or token.project.domain.id:%(target.domain.id)s`,

  'identity:get_domain_config': adminOrSystemReader,
  'identity:get_domain_config_default': adminOrSystemReader,
  'identity:get_security_compliance_domain_config': '',
  'identity:create_domain_config': admin,
  'identity:update_domain_config': admin,
  'identity:delete_domain_config': admin,

  ...administered('project', 'projects'),
  'identity:get_project': projectReader,
  'identity:list_projects': systemOrDomainReader('target.domain_id'),
  'identity:list_user_projects': `${systemOrDomainReader('target.user.domain_id')} or ${ownTarget}`,
  'identity:list_project_tags': projectReader,
  'identity:get_project_tag': projectReader,
  'identity:update_project_tags': admin,
  'identity:create_project_tag': admin,
  'identity:delete_project_tags': admin,
  'identity:delete_project_tag': admin,

  ...administered('user', 'users'),
  'identity:get_user': `${adminOrSystemReader} or (role:reader and token.domain.id:%(target.user.domain_id)s) or ${ownTarget}`,
  'identity:list_users': systemOrDomainReader('target.domain_id'),

  ...administered('group', 'groups'),
  'identity:get_group': systemOrDomainReader('target.group.domain_id'),
  'identity:list_groups': systemOrDomainReader('target.group.domain_id'),
  'identity:list_groups_for_user': `${systemOrDomainReader('target.user.domain_id')} or rule:owner`,
  'identity:list_users_in_group': systemOrDomainReader('target.group.domain_id'),
  'identity:check_user_in_group': `${adminOrSystemReader} or (role:reader and domain_id:%(target.group.domain_id)s and domain_id:%(target.user.domain_id)s)`,
  'identity:add_user_to_group': admin,
  'identity:remove_user_from_group': admin,

  ...administered('role', 'roles'),
  ...administered('domain_role', 'domain_roles'),
  ...administered('implied_role', 'implied_roles'),
  'identity:check_implied_role': adminOrSystemReader,
  'identity:list_role_inference_rules': adminOrSystemReader,

  'identity:check_grant': `${admin} or ((${systemReader}) or ${withinDomain('reader')}) and ${grantableRole}`,
  'identity:list_grants': `${adminOrSystemReader} or ${withinDomain('reader')}`,
  'identity:create_grant': `${admin} or (${withinDomain('admin')}) and ${grantableRole}`,
  'identity:revoke_grant': `${admin} or (${withinDomain('admin')}) and ${grantableRole}`,
  ...Object.fromEntries(
    ['user', 'group'].flatMap((actor) => [
      [`identity:list_system_grants_for_${actor}`, adminOrSystemReader],
      [`identity:check_system_grant_for_${actor}`, adminOrSystemReader],
      [`identity:create_system_grant_for_${actor}`, admin],
      [`identity:revoke_system_grant_for_${actor}`, admin],
    ]),
  ),
  'identity:list_role_assignments': `${adminOrSystemReader} or (role:reader and domain_id:%(target.domain_id)s and not None:%(target.domain_id)s)`,
  'identity:list_role_assignments_for_tree': `${adminOrSystemReader} or (role:reader and domain_id:%(target.domain_id)s and not None:%(target.domain_id)s)`,

  ...administered('service', 'services'),
  ...administered('endpoint', 'endpoints'),
  ...administered('endpoint_group', 'endpoint_groups'),
  'identity:list_projects_for_endpoint': adminOrSystemReader,
  'identity:list_endpoints_for_project': adminOrSystemReader,
  'identity:check_endpoint_in_project': adminOrSystemReader,
  'identity:add_endpoint_to_project': admin,
  'identity:remove_endpoint_from_project': admin,
  'identity:list_projects_associated_with_endpoint_group': adminOrSystemReader,
  'identity:list_endpoints_associated_with_endpoint_group': adminOrSystemReader,
  'identity:list_endpoint_groups_for_project': adminOrSystemReader,
  'identity:get_endpoint_group_in_project': adminOrSystemReader,
  'identity:add_endpoint_group_to_project': admin,
  'identity:remove_endpoint_group_from_project': admin,
  ...administered('region', 'regions'),
  'identity:get_region': '',
  'identity:list_regions': '',
  ...administered('policy', 'policies'),
  ...Object.fromEntries(
    ['endpoint', 'service', 'region_and_service'].flatMap((place) => [
      [`identity:check_policy_association_for_${place}`, adminOrSystemReader],
      [`identity:create_policy_association_for_${place}`, admin],
      [`identity:delete_policy_association_for_${place}`, admin],
    ]),
  ),
  'identity:list_endpoints_for_policy': adminOrSystemReader,
  'identity:get_policy_for_endpoint': adminOrSystemReader,

  'identity:get_credential': `${adminOrSystemReader} or ${ownCredential}`,
  'identity:list_credentials': `${adminOrSystemReader} or ${ownCredential}`,
  'identity:create_credential': `${admin} or ${ownCredential}`,
  'identity:update_credential': `${admin} or ${ownCredential}`,
  'identity:delete_credential': `${admin} or ${ownCredential}`,
  'identity:ec2_get_credential': `${adminOrSystemReader} or ${ownCredential}`,
  'identity:ec2_list_credentials': `${admin} or rule:owner`,
  'identity:ec2_create_credential': `${admin} or rule:owner`,
  'identity:ec2_delete_credential': `${admin} or ${ownCredential}`,
  'identity:ec2tokens_validate': 'rule:service_or_admin',
  'identity:s3tokens_validate': 'rule:service_or_admin',

  'identity:get_application_credential': `${adminOrSystemReader} or rule:owner`,
  'identity:list_application_credentials': `${adminOrSystemReader} or rule:owner`,
  'identity:create_application_credential': 'rule:owner',
  'identity:delete_application_credential': 'rule:admin_or_owner',
  'identity:get_access_rule': `(${systemReader}) or ${ownTarget}`,
  'identity:list_access_rules': `(${systemReader}) or ${ownTarget}`,
  'identity:delete_access_rule': `(role:admin and system_scope:all) or ${ownTarget}`,

  'identity:create_trust': trustor,
  'identity:list_trusts': adminOrSystemReader,
  'identity:list_trusts_for_trustor': `${adminOrSystemReader} or ${trustor}`,
  'identity:list_trusts_for_trustee': `${adminOrSystemReader} or ${trustee}`,
  'identity:list_roles_for_trust': `${adminOrSystemReader} or ${trustor} or ${trustee}`,
  'identity:get_role_for_trust': `${adminOrSystemReader} or ${trustor} or ${trustee}`,
  'identity:get_trust': `${adminOrSystemReader} or ${trustor} or ${trustee}`,
  'identity:delete_trust': `${admin} or ${trustor}`,

  ...administered('consumer', 'consumers'),
  'identity:authorize_request_token': admin,
  'identity:get_access_token': admin,
  'identity:list_access_tokens': admin,
  'identity:delete_access_token': admin,
  'identity:get_access_token_role': admin,
  'identity:list_access_token_roles': admin,

  'identity:get_registered_limit': '',
  'identity:list_registered_limits': '',
  'identity:create_registered_limits': admin,
  'identity:update_registered_limit': admin,
  'identity:delete_registered_limit': admin,
  'identity:get_limit_model': '',
  'identity:get_limit': `${adminOrSystemReader} or domain_id:%(target.limit.domain.id)s or domain_id:%(target.limit.project.domain_id)s or (project_id:%(target.limit.project_id)s and not None:%(target.limit.project_id)s)`,
  'identity:list_limits': '',
  'identity:create_limits': admin,
  'identity:update_limit': admin,
  'identity:delete_limit': admin,

  // The base checks every route with this one; its own rule follows with its target.
  'identity:any_token': '',
}
