/**
 * Who may do what unless an operator's policy file says otherwise. Tokens for the whole deployment have no business
 * here, as in OpenStack since 2023.
 */
const resources = {
  'placement:resource_providers': ['list', 'create', 'show', 'update', 'delete'],
  'placement:resource_providers:aggregates': ['list', 'update'],
  'placement:resource_providers:inventories': ['list', 'create', 'show', 'update', 'delete'],
  'placement:resource_providers:traits': ['list', 'update', 'delete'],
  'placement:resource_providers:allocations': ['list'],
  'placement:resource_classes': ['list', 'create', 'show', 'update', 'delete'],
  'placement:traits': ['list', 'show', 'update', 'delete'],
  'placement:allocations': ['manage', 'list', 'update', 'delete'],
  'placement:allocation_candidates': ['list'],
} as const

const adminOrService = 'rule:admin_or_service_api'

export const policyDefaults: Readonly<Record<string, string>> = {
  admin_api: 'role:admin',
  service_api: 'role:service and not system_scope:all',
  admin_or_service_api: '(role:admin or role:service) and not system_scope:all',
  project_reader_api: 'role:reader and project_id:%(project_id)s',
  admin_or_project_reader_or_service_api: 'rule:admin_or_service_api or rule:project_reader_api',
  'placement:reshaper:reshape': 'rule:service_api',
  'placement:resource_providers:usages': adminOrService,
  'placement:usages': 'rule:admin_or_project_reader_or_service_api',
  ...Object.fromEntries(
    Object.entries(resources).flatMap(([prefix, names]) =>
      names.map((name) => [`${prefix}:${name}`, adminOrService]),
    ),
  ),
}
