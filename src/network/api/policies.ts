/** Who may do what unless an operator's policy file says otherwise: Zed's rules, deprecated alternatives included. */

const adminOrOwner = 'rule:admin_or_owner'
const adminOnly = 'rule:admin_only'
const anyone = 'rule:regular_user'
const adminOrNetworkOwner = 'rule:admin_or_network_owner'
const networkOwnerOrService = 'rule:context_is_advsvc or rule:admin_or_network_owner'
const networkOwnerOrServiceOrShared = `${networkOwnerOrService} or rule:shared`

/** The rules for creating, showing, changing and deleting one kind of resource. */
const rules = (name: string, create: string, show: string, update: string, remove = update) => ({
  [`create_${name}`]: create,
  [`get_${name}`]: show,
  [`update_${name}`]: update,
  [`delete_${name}`]: remove,
})

/** One rule for several attributes. */
const attributes = (action: string, names: readonly string[], rule: string): Record<string, string> =>
  Object.fromEntries(names.map((name) => [`${action}:${name}`, rule]))

/** What a network's segment is. */
export const providerAttributes = [
  'provider:network_type',
  'provider:physical_network',
  'provider:segmentation_id',
  'segments',
]
const bindingAttributes = ['binding:host_id', 'binding:profile', 'binding:vif_type', 'binding:vif_details']

export const networkPolicies: Readonly<Record<string, string>> = {
  context_is_admin: 'role:admin',
  context_is_advsvc: 'role:advsvc',
  owner: 'tenant_id:%(tenant_id)s',
  regular_user: '',
  admin_only: 'rule:context_is_admin',
  admin_or_owner: 'rule:context_is_admin or rule:owner',
  network_owner: 'tenant_id:%(network:tenant_id)s',
  admin_or_network_owner: 'rule:context_is_admin or rule:network_owner',
  admin_owner_or_network_owner: 'rule:owner or rule:admin_or_network_owner',
  sg_owner: 'tenant_id:%(security_group:tenant_id)s',
  shared: 'True:%(shared)s',
  external: 'True:%(router:external)s',
  network_device: 'True:%(network_device)s',
  restrict_wildcard: 'not "*":%(target_tenant)s or rule:admin_only',
  default: adminOrOwner,
  /** What is asked before the resource is known: that there is a valid token. */
  network_api: '@',

  ...rules(
    'network',
    anyone,
    `${adminOrOwner} or rule:shared or rule:external or rule:context_is_advsvc`,
    adminOrOwner,
  ),
  ...attributes(
    'create_network',
    ['shared', 'router:external', 'is_default', ...providerAttributes],
    adminOnly,
  ),
  ...attributes(
    'update_network',
    ['shared', 'router:external', 'is_default', ...providerAttributes],
    adminOnly,
  ),
  ...attributes('get_network', providerAttributes, adminOnly),
  'create_network:port_security_enabled': anyone,
  'update_network:port_security_enabled': adminOrOwner,

  ...rules('subnet', adminOrNetworkOwner, `${adminOrOwner} or rule:shared`, `${adminOrNetworkOwner}`),
  'create_subnet:service_types': adminOnly,
  'update_subnet:service_types': adminOnly,

  ...rules(
    'port',
    anyone,
    'rule:context_is_advsvc or rule:admin_owner_or_network_owner',
    `${adminOrOwner} or rule:context_is_advsvc`,
    'rule:context_is_advsvc or rule:admin_owner_or_network_owner',
  ),
  ...attributes(
    'create_port',
    ['mac_address', 'fixed_ips:ip_address', 'port_security_enabled'],
    networkOwnerOrService,
  ),
  ...attributes('create_port', ['fixed_ips', 'fixed_ips:subnet_id'], networkOwnerOrServiceOrShared),
  'create_port:device_owner': `not rule:network_device or ${networkOwnerOrService}`,
  ...attributes('create_port', ['binding:host_id', 'binding:profile'], adminOnly),
  'create_port:binding:vnic_type': anyone,
  'create_port:allowed_address_pairs': adminOrNetworkOwner,
  ...attributes('get_port', bindingAttributes, adminOnly),
  'update_port:device_owner': `not rule:network_device or ${networkOwnerOrService}`,
  'update_port:mac_address': `${adminOnly} or rule:context_is_advsvc`,
  ...attributes(
    'update_port',
    ['fixed_ips', 'fixed_ips:ip_address', 'port_security_enabled'],
    networkOwnerOrService,
  ),
  'update_port:fixed_ips:subnet_id': networkOwnerOrServiceOrShared,
  ...attributes('update_port', ['binding:host_id', 'binding:profile'], adminOnly),
  'update_port:binding:vnic_type': `${adminOrOwner} or rule:context_is_advsvc`,
  'update_port:allowed_address_pairs': adminOrNetworkOwner,

  ...rules('subnetpool', anyone, `${adminOrOwner} or rule:shared`, adminOrOwner),
  ...attributes('create_subnetpool', ['shared', 'is_default'], adminOnly),
  'update_subnetpool:is_default': adminOnly,
  onboard_network_subnets: adminOrOwner,
  add_prefixes: adminOrOwner,
  remove_prefixes: adminOrOwner,

  ...rules('security_group', adminOrOwner, anyone, adminOrOwner),
  ...rules('security_group_rule', adminOrOwner, `${adminOrOwner} or rule:sg_owner`, adminOrOwner),
  ...rules('address_group', anyone, `${adminOrOwner} or rule:shared`, adminOrOwner),
  ...rules('address_scope', anyone, `${adminOrOwner} or rule:shared`, adminOrOwner),
  ...attributes('create_address_scope', ['shared'], adminOnly),
  ...attributes('update_address_scope', ['shared'], adminOnly),

  ...rules('rbac_policy', anyone, adminOrOwner, adminOrOwner),
  'create_rbac_policy:target_tenant': 'rule:restrict_wildcard',
  'update_rbac_policy:target_tenant': 'rule:restrict_wildcard and rule:admin_or_owner',

  get_agent: adminOnly,
  update_agent: adminOnly,
  delete_agent: adminOnly,
  'create_dhcp-network': adminOnly,
  'get_dhcp-networks': adminOnly,
  'delete_dhcp-network': adminOnly,
  'get_dhcp-agents': adminOnly,
  get_availability_zone: anyone,
  get_quota: adminOnly,
  update_quota: adminOnly,
  delete_quota: adminOnly,
  get_network_ip_availability: adminOnly,
  get_service_provider: anyone,
  ...rules('flavor', adminOnly, anyone, adminOnly),
  ...rules('service_profile', adminOnly, adminOnly, adminOnly),
  create_flavor_service_profile: adminOnly,
  delete_flavor_service_profile: adminOnly,
}
