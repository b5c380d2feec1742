/** What the configuration of a lab's cloud lacks where a service is the original one. */
import type { HostFile } from '../../../src/cli/init/config-files.ts'
import type { Ini } from '../../../src/cli/init/ini.ts'

/** Whose queues both kinds declare must be declared alike; ours are durable unless told otherwise. */
const messaging: Ini = { oslo_messaging_rabbit: { amqp_durable_queues: 'true' } }

const nova: Ini = {
  ...messaging,
  DEFAULT: {
    compute_driver: 'fake.FakeDriver',
    osapi_compute_workers: '1',
    metadata_workers: '1',
    state_path: '/var/lib/nova',
  },
  conductor: { workers: '1' },
  scheduler: { workers: '1', discover_hosts_in_cells_interval: '2' },
  wsgi: { api_paste_config: '/etc/nova/api-paste.ini' },
  vnc: { enabled: 'false' },
}

const neutron: Ini = {
  ...messaging,
  DEFAULT: { api_workers: '1', rpc_workers: '1', api_paste_config: '/etc/neutron/api-paste.ini' },
  // Zed's neutron-server ends without it.
  experimental: { linuxbridge: 'true' },
}

const glance: Ini = {
  DEFAULT: { workers: '1' },
  paste_deploy: { flavor: 'keystone', config_file: '/etc/glance/glance-api-paste.ini' },
}

/** By the path of the file. */
export const originalSettings = {
  keystone: {},
  placement: {},
  glance: { '/etc/glance/glance-api.conf': glance },
  neutron: { '/etc/neutron/neutron.conf': neutron },
  nova: { '/etc/nova/nova.conf': nova },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Ini>>>>

const novaPaste = `[composite:osapi_compute]
use = call:nova.api.openstack.urlmap:urlmap_factory
/ = versions
/v2.1 = version
/v2.1/+ = v21

[pipeline:versions]
pipeline = faultwrap versions_app
[app:versions_app]
paste.app_factory = nova.api.openstack.compute.versions:Versions.factory
[pipeline:version]
pipeline = compute_req_id faultwrap version_app
[app:version_app]
paste.app_factory = nova.api.openstack.compute.versions:VersionsV2.factory

[composite:v21]
use = call:nova.api.auth:pipeline_factory_v21
keystone = compute_req_id faultwrap request_log sizelimit authtoken keystonecontext v21_app
[app:v21_app]
paste.app_factory = nova.api.openstack.compute:APIRouterV21.factory

[composite:metadata]
use = egg:Paste#urlmap
/ = metadata_app
[app:metadata_app]
paste.app_factory = nova.api.metadata.handler:MetadataRequestHandler.factory

[filter:compute_req_id]
paste.filter_factory = nova.api.compute_req_id:ComputeReqIdMiddleware.factory
[filter:faultwrap]
paste.filter_factory = nova.api.openstack:FaultWrapper.factory
[filter:request_log]
paste.filter_factory = nova.api.openstack.requestlog:RequestLog.factory
[filter:sizelimit]
paste.filter_factory = oslo_middleware:RequestBodySizeLimiter.factory
[filter:authtoken]
paste.filter_factory = keystonemiddleware.auth_token:filter_factory
[filter:keystonecontext]
paste.filter_factory = nova.api.auth:NovaKeystoneContext.factory
`

const neutronPaste = `[composite:neutron]
use = egg:Paste#urlmap
/ = versions
/v2.0 = v2

[composite:versions]
use = call:neutron.auth:pipeline_factory
keystone = versions_app
[app:versions_app]
paste.app_factory = neutron.pecan_wsgi.app:versions_factory

[composite:v2]
use = call:neutron.auth:pipeline_factory
keystone = request_id catch_errors authtoken keystonecontext extensions v2_app
[app:v2_app]
paste.app_factory = neutron.api.v2.router:APIRouter.factory

[filter:request_id]
paste.filter_factory = oslo_middleware:RequestId.factory
[filter:catch_errors]
paste.filter_factory = oslo_middleware:CatchErrors.factory
[filter:authtoken]
paste.filter_factory = keystonemiddleware.auth_token:filter_factory
[filter:keystonecontext]
paste.filter_factory = neutron.auth:NeutronKeystoneContext.factory
[filter:extensions]
paste.filter_factory = neutron.api.extensions:plugin_aware_extension_middleware_factory
`

const glancePaste = `[pipeline:glance-api-keystone]
pipeline = versionnegotiation authtoken context root

[composite:root]
paste.composite_factory = glance.api:root_app_factory
/ = versions
/v2 = v2

[app:versions]
paste.app_factory = glance.api.versions:create_resource
[app:v2]
paste.app_factory = glance.api.v2.router:API.factory

[filter:versionnegotiation]
paste.filter_factory = glance.api.middleware.version_negotiation:VersionNegotiationFilter.factory
[filter:authtoken]
paste.filter_factory = keystonemiddleware.auth_token:filter_factory
delay_auth_decision = true
[filter:context]
paste.filter_factory = glance.api.middleware.context:ContextMiddleware.factory
`

/** The libraries' packages lack these; the packages of the programs have longer ones. */
export const pasteFiles: readonly HostFile[] = [
  { path: '/etc/nova/api-paste.ini', owner: 'nova', text: novaPaste },
  { path: '/etc/neutron/api-paste.ini', owner: 'neutron', text: neutronPaste },
  { path: '/etc/glance/glance-api-paste.ini', owner: 'glance', text: glancePaste },
]
