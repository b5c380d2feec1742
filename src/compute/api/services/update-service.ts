import { Fault } from '../../../base/errors.ts'
import type { ApiRequest } from '../../../base/http/route.ts'
import { isUuid } from '../../../base/ids.ts'
import { type ServiceRow, updateService } from '../../store/services.ts'
import type { HostDeps } from '../deps.ts'
import { type HostService, listHostServices } from '../hosts/host-services.ts'
import { isTrue } from '../schema-types.ts'

type Changes = Partial<Pick<ServiceRow, 'disabled' | 'disabled_reason' | 'forced_down'>>

interface ByHostBody {
  host: string
  binary: string
  disabled_reason?: string
  forced_down?: boolean | string
}

/** Up to 2.52: the path says what to do, the body to whom. */
export async function updateByHost(request: ApiRequest<never>, deps: HostDeps) {
  const body = request.body as ByHostBody
  const { host, binary } = body
  const [shown, changes] = changeNamed(request, body)
  assertComputeService(binary)
  const [service] = await listHostServices(deps, { host, binary })
  if (service === undefined) throw new Fault('not-found', `Could not find binary ${binary} on host ${host}.`)
  await change(deps, service, changes)
  return { service: { host, binary, ...shown } }
}

function changeNamed(request: ApiRequest<never>, body: ByHostBody): [object, Changes] {
  const reason = body.disabled_reason
  switch (request.params['id']) {
    case 'enable':
      return [{ status: 'enabled' }, { disabled: 0, disabled_reason: null }]
    case 'disable':
      return [{ status: 'disabled' }, { disabled: 1, disabled_reason: null }]
    case 'disable-log-reason':
      if (reason === undefined) throw new Fault('invalid', 'Missing disabled reason field')
      return [
        { status: 'disabled', disabled_reason: reason },
        { disabled: 1, disabled_reason: reason },
      ]
    case 'force-down': {
      if (!request.atLeast('2.11')) break
      if (body.forced_down === undefined) throw new Fault('invalid', 'Missing forced_down field')
      const down = isTrue(body.forced_down)
      return [{ forced_down: down }, { forced_down: down ? 1 : 0 }]
    }
  }
  throw new Fault('not-found', 'Unknown action')
}

function assertComputeService(binary: string): void {
  if (binary === 'nova-compute') return
  throw new Fault(
    'invalid',
    `Updating a ${binary} service is not supported. Only nova-compute services can be updated.`,
  )
}

async function change(deps: HostDeps, service: HostService, changes: Changes): Promise<void> {
  await updateService(service.cell.db, service.uuid, changes)
  await deps.conductor.hostsChanged({})
}

/** Since 2.53: the path names the service. */
export async function updateByUuid(request: ApiRequest<never>, deps: HostDeps): Promise<HostService> {
  const body = request.body as { status?: string; disabled_reason?: string; forced_down?: boolean | string }
  const service = await getService(deps, request.params['id']!)
  assertComputeService(service.binary)
  const { status, disabled_reason: reason, forced_down: forced } = body
  if (reason !== undefined && status !== 'disabled') {
    throw new Fault('invalid', "Specifying 'disabled_reason' when status is 'enabled' is invalid.")
  }
  if (status === undefined && forced === undefined) {
    throw new Fault(
      'invalid',
      "No updates were requested. Fields 'status' or 'forced_down' should be specified.",
    )
  }
  const changes: Changes = {}
  if (status !== undefined) {
    changes.disabled = status === 'disabled' ? 1 : 0
    changes.disabled_reason = reason ?? null
  }
  if (forced !== undefined) changes.forced_down = isTrue(forced) ? 1 : 0
  await change(deps, service, changes)
  return await getService(deps, service.uuid)
}

/** A service by its uuid. */
export async function getService(deps: HostDeps, uuid: string): Promise<HostService> {
  if (!isUuid(uuid)) throw new Fault('invalid', `Invalid uuid ${uuid}`)
  const service = (await listHostServices(deps)).find((one) => one.uuid === uuid)
  if (service === undefined) throw new Fault('not-found', `Service ${uuid} not found.`)
  return service
}
