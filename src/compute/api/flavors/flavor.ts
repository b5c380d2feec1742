import { Type } from 'typebox'
import { type Fields, type History, schemaAt, viewAt } from '../../../base/http/fields.ts'
import type { ApiRequest } from '../../../base/http/route.ts'
import type { Flavor } from '../../store/flavors.ts'
import { type Link, linkMaker } from '../links.ts'
import { byVersion, description, Flag, Name, wholeNumber, wrapped } from '../schema-types.ts'

export interface FlavorView extends Record<string, unknown> {
  id: string
  name: string
  swap: number | ''
  links: Link[]
}

const FlavorId = Type.Unsafe<string | number | null>({
  type: ['string', 'number', 'null'],
  minLength: 1,
  maxLength: 255,
  pattern: '^(?! )[a-zA-Z0-9. _\\-]+(?<! )$',
})
const RxtxFactor = Type.Unsafe<number | string>({
  type: ['number', 'string'],
  pattern: '^[0-9]+(\\.[0-9]+)?$',
  exclusiveMinimum: 0,
  maximum: 3.40282e38,
})

export const flavorFields = {
  id: { schema: FlavorId, in: ['view', 'create'] },
  name: { schema: Name, in: ['view', 'create'], required: true },
  ram: { schema: wholeNumber(1), in: ['view', 'create'], required: true },
  disk: { schema: wholeNumber(0), in: ['view', 'create'], required: true },
  vcpus: { schema: wholeNumber(1), in: ['view', 'create'], required: true },
  swap: { schema: wholeNumber(0), in: ['view', 'create'] },
  'OS-FLV-EXT-DATA:ephemeral': { schema: wholeNumber(0), in: ['view', 'create'] },
  'OS-FLV-DISABLED:disabled': { schema: Type.Boolean() },
  'os-flavor-access:is_public': { schema: Flag, in: ['view', 'create'] },
  rxtx_factor: { schema: RxtxFactor, in: ['view', 'create'] },
  links: { schema: Type.Array(Type.Object({})) },
  description: { schema: description(65_535), since: '2.55', in: ['view', 'create', 'update'] },
  extra_specs: { schema: Type.Object({}), since: '2.61' },
} satisfies Fields

export const flavorHistory: History<FlavorView> = [
  {
    at: '2.75',
    note: 'no swap is 0; before, it was an empty string',
    down: (view) => ('swap' in view ? { ...view, swap: view.swap === 0 ? '' : view.swap } : view),
  },
]

export interface CreateFlavorBody {
  flavor: {
    name: string
    id?: string | number | null
    ram: number | string
    vcpus: number | string
    disk: number | string
    swap?: number | string
    rxtx_factor?: number | string
    description?: string | null
    'OS-FLV-EXT-DATA:ephemeral'?: number | string
    'os-flavor-access:is_public'?: boolean | string
  }
}

export const createFlavorBody = byVersion((version) =>
  wrapped('flavor', schemaAt(flavorFields, 'create', version)),
)
export const updateFlavorBody = wrapped(
  'flavor',
  Type.Object({ description: description(65_535) }, { additionalProperties: false }),
)

/** Shows flavors of one request: whole, or id, name and description. */
export function flavorViewer(request: ApiRequest<never>) {
  const links = linkMaker(request as ApiRequest, 'flavors')
  const withSpecs = request.can('os_compute_api:os-flavor-extra-specs:index')
  const lower = (view: FlavorView) => viewAt(flavorFields, flavorHistory, request.microversion, view)
  return {
    whole(flavor: Flavor): FlavorView {
      const view: FlavorView = {
        id: flavor.flavorid,
        name: flavor.name,
        ram: flavor.memory_mb,
        disk: flavor.root_gb,
        swap: flavor.swap,
        'OS-FLV-EXT-DATA:ephemeral': flavor.ephemeral_gb,
        'OS-FLV-DISABLED:disabled': flavor.disabled === 1,
        vcpus: flavor.vcpus,
        'os-flavor-access:is_public': flavor.is_public === 1,
        rxtx_factor: flavor.rxtx_factor,
        links: links(flavor.flavorid),
        description: flavor.description,
      }
      if (withSpecs) view['extra_specs'] = flavor.extra_specs
      return lower(view)
    },
    brief: (flavor: Flavor) => {
      const { flavorid: id, name, description } = flavor
      return viewAt(flavorFields, [], request.microversion, { id, name, links: links(id), description })
    },
  }
}
