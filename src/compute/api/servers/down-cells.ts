/**
 * Servers of cells whose database cannot be asked, since 2.69: what the API's own database knows of them, with status
 * UNKNOWN. https://docs.openstack.org/api-guide/compute/down_cells.html
 */
import { showSeconds } from '../../../base/clock.ts'
import { Fault } from '../../../base/errors.ts'
import type { ApiRequest } from '../../../base/http/route.ts'
import { type CellDb, isAway } from '../../store/cell-dbs.ts'
import type { InstanceFilters } from '../../store/instance-filters.ts'
import type { InstanceMapping } from '../../store/instance-mappings.ts'
import { findInstanceMapping, listMappingsOfCells } from '../../store/instance-mappings.ts'
import { instanceNotFound } from '../../store/instances.ts'
import { findRequestSpec, wishesOf } from '../../store/request-specs.ts'
import type { ApiDbDeps } from '../deps.ts'
import { bookmarkMaker, linkMaker } from '../links.ts'
import { filterNames, isPagedOrSorted } from './list-query.ts'
import type { ServerView } from './server.ts'
import { flavorPart } from './server.view.ts'
import { assertOwn } from './server-of-request.ts'

type Request = ApiRequest<never>

/** Nothing can be filtered or sorted by what is not known: such lists leave these servers out. */
const areShown = (request: Request): boolean =>
  request.atLeast('2.69') &&
  !isPagedOrSorted(request) &&
  filterNames(request).every((name) => name === 'all_tenants')

/**
 * Those of the servers of such cells that a list shows, after those of the others. Throws `unavailable` where it shows
 * none and `[api] list_records_by_skipping_down_cells` is off.
 */
export async function listUnknownServers(
  request: Request,
  { apiDb, config }: ApiDbDeps,
  cells: readonly CellDb[],
  { equals = {} }: InstanceFilters,
  limit: number,
): Promise<InstanceMapping[]> {
  const [first] = cells
  if (first === undefined) return []
  if (!areShown(request)) {
    if (config.skipsDownCells) return []
    throw new Fault(
      'unavailable',
      `Cell ${first.uuid} is not responding but configuration indicates that we should fail.`,
    )
  }
  if (limit <= 0) return []
  const { project_id: projectId, user_id: userId } = equals
  return await listMappingsOfCells(
    apiDb,
    cells.map(({ id }) => id),
    {
      limit,
      ...(typeof projectId === 'string' ? { projectId } : {}),
      ...(typeof userId === 'string' ? { userId } : {}),
    },
  )
}

/** How lists show them. */
export function unknownViewer(request: Request) {
  const links = linkMaker(request as ApiRequest, 'servers')
  const brief = ({ instance_uuid: id }: InstanceMapping) => ({ id, status: 'UNKNOWN', links: links(id) })
  return {
    brief,
    whole: (mapping: InstanceMapping) => ({
      ...brief(mapping),
      tenant_id: mapping.project_id,
      created: showSeconds(mapping.created_at),
    }),
  }
}

/** The view of one server whose cell is away; throws `error` again when it is no such thing or not to be shown. */
export async function showUnknownServer(
  request: ApiRequest<never>,
  { apiDb }: ApiDbDeps,
  { rule, error }: { rule: string; error: unknown },
): Promise<ServerView> {
  if (!request.atLeast('2.69') || !isAway(error)) throw error
  const uuid = request.params['id']!
  const mapping = await findInstanceMapping(apiDb, uuid)
  const spec = await findRequestSpec(apiDb, uuid)
  // One that is being deleted is as good as gone, and so is one of which there is no more than this.
  if (mapping === undefined || mapping.queued_for_delete === 1 || spec === undefined)
    throw instanceNotFound(uuid)
  assertOwn(request, uuid, mapping, rule)
  const imageLinks = bookmarkMaker(request as ApiRequest, 'images')
  const seesExtraSpecs = request.can('os_compute_api:servers:show:flavor-extra-specs')
  const view: ServerView = {
    ...unknownViewer(request).whole(mapping),
    image: spec.image === null ? '' : { id: spec.image.id, links: imageLinks(spec.image.id) },
    flavor: flavorPart(spec.flavor, seesExtraSpecs),
    'OS-EXT-AZ:availability_zone': spec.availabilityZone ?? 'UNKNOWN',
    'OS-EXT-STS:power_state': 0,
    user_id: mapping.user_id,
  }
  if (request.atLeast('2.71')) view['server_groups'] = (await wishesOf(apiDb, [uuid])).get(uuid)?.groups ?? []
  return view
}
