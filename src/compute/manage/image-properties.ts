/** `nova-manage image_property`: the properties of its image as an instance has them. */
import type { Given, ManageCommand } from '../../base/manage/program.ts'
import { getRequestSpec, type RequestedImage, setImageProperties } from '../store/request-specs.ts'
import type { NovaManage } from './deps.ts'
import { imagePropertyValues } from './image-property-values.ts'
import { assertNotRunning, exitsWith, getInstanceAt } from './instance-at.ts'

export const imagePropertyCommands: readonly ManageCommand<NovaManage>[] = [
  {
    name: 'image_property show',
    help: 'print an image property of an instance',
    arguments: ['<instance_uuid>', '<image_property>'],
    run: exitsWith({ 'not-found': 2 }, showProperty),
  },
  {
    name: 'image_property set',
    help: 'set image properties of an instance that does not run; they hold from its next start on',
    arguments: ['<instance_uuid>'],
    options: [
      {
        flags: '--property <image_property>',
        help: 'as name=value; may be repeated: --property hw_disk_bus=virtio --property hw_vif_model=e1000',
        repeat: true,
      },
    ],
    run: exitsWith({ 'not-found': 2, conflict: 3 }, setProperties),
  },
]

async function showProperty(given: Given, deps: NovaManage): Promise<number> {
  const uuid = String(given['instanceUuid'])
  const name = String(given['imageProperty'])
  await getInstanceAt(deps, uuid)
  const { image } = await getRequestSpec(deps.apiDb(), uuid)
  const value = image === null ? undefined : { ...ownOf(image), ...image.properties }[name]
  deps.print(value || `Image property ${name} not found for instance ${uuid}.`)
  return value ? 0 : 3
}

/** What nova keeps of an image among its properties. */
const ownOf = (image: RequestedImage): Record<string, string> => ({
  base_image_ref: image.id,
  container_format: image.containerFormat,
  disk_format: image.diskFormat,
  min_disk: String(image.minDiskGb),
  min_ram: String(image.minRamMb),
})

async function setProperties(given: Given, deps: NovaManage): Promise<number> {
  const uuid = String(given['instanceUuid'])
  assertNotRunning(
    uuid,
    await getInstanceAt(deps, uuid),
    'image_property set (must be STOPPED, SHELVED, OR SHELVED_OFFLOADED).',
  )
  const wanted = new Map<string, string>()
  const properties = given['property'] as readonly string[]
  if (properties.length === 0 || properties.some((text) => !text.includes('='))) {
    deps.print('Invalid input received: --property should use the format key=value')
    return 4
  }
  for (const text of properties) {
    const at = text.indexOf('=')
    const name = text.slice(0, at)
    const accepts = imagePropertyValues[name]
    if (accepts === undefined) {
      deps.print(`Invalid image property name ${name}.`)
      return 5
    }
    const wrong = accepts(text.slice(at + 1))
    if (wrong !== undefined) {
      deps.print(`Invalid value of image property ${name}: ${wrong}`)
      return 6
    }
    wanted.set(name, text.slice(at + 1))
  }
  await setImageProperties(deps.apiDb(), uuid, Object.fromEntries(wanted))
  return 0
}
