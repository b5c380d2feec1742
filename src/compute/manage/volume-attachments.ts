/** `nova-manage volume_attachment`. No instance has a volume yet: each is answered as one to which it is not attached. */
import { readFileSync } from 'node:fs'
import { prettyTable } from '../../base/manage/pretty-table.ts'
import type { Given, ManageCommand } from '../../base/manage/program.ts'
import type { NovaManage } from './deps.ts'
import { hostConnector } from './host-connector.ts'
import { exitsWith, getInstanceAt } from './instance-at.ts'

export const volumeAttachmentCommands: readonly ManageCommand<NovaManage>[] = [
  {
    name: 'volume_attachment show',
    help: 'print how a volume is attached to an instance',
    arguments: ['<instance_uuid>', '<volume_id>'],
    options: [
      { flags: '--connection_info', help: 'only how the host is connected' },
      { flags: '--json', help: 'as JSON instead of a table' },
    ],
    run: exitsWith({ 'not-found': 2 }, async (given, deps) => {
      await getInstanceAt(deps, String(given['instanceUuid']))
      noAttachment(given, deps)
      return 3
    }),
  },
  {
    name: 'volume_attachment get_connector',
    help: 'print what a volume service must know of this host',
    options: [{ flags: '--json', help: 'as JSON instead of a table' }],
    run: exitsWith({}, getConnector),
  },
  {
    name: 'volume_attachment refresh',
    help: 'connect a volume of a stopped instance anew',
    arguments: ['<instance_uuid>', '<volume_id>', '<connector_path>'],
    run: exitsWith({ 'not-found': 4, conflict: 5 }, refresh),
  },
]

const noAttachment = (given: Given, deps: NovaManage): void =>
  deps.print(`No volume Block Device Mapping with id ${given['volumeId']}.`)

async function getConnector(given: Given, deps: NovaManage): Promise<number> {
  const connector = hostConnector({ host: deps.settings.host, ip: deps.settings.myIp })
  if (given['json'] === true) {
    deps.print(JSON.stringify(connector))
    return 0
  }
  const rows = Object.entries(connector)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => [key, shown(value)])
  deps.print(prettyTable(['Property', 'Value'], rows, { align: 'left' }))
  return 0
}

/** As Python prints it: scripts read `False`. */
function shown(value: string | boolean | readonly string[]): string {
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  return typeof value === 'string' ? value : `[${value.map((one) => `'${one}'`).join(', ')}]`
}

async function refresh(given: Given, deps: NovaManage): Promise<number> {
  const path = String(given['connectorPath'])
  try {
    JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      deps.print(`Invalid input received: Connector file not found at ${path}`)
      return 2
    }
    deps.print(`Failed to open ${path}. Does it contain valid connector_info data?`)
    return 3
  }
  await getInstanceAt(deps, String(given['instanceUuid']))
  noAttachment(given, deps)
  return 6
}
