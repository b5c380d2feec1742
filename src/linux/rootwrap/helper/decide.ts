/** Decides on one request: what exactly is run for it, or why nothing is. */
import { existsSync } from 'node:fs'
import type { Project, Request } from '../protocol.ts'
import { lists, type Tool } from './lists.ts'
import { joined, linesOf, pattern } from './patterns.ts'

/** Who asks, as sudo tells. */
export interface Caller {
  uid: number
  gid: number
}

export type Decision =
  | { file: string; args: readonly string[]; input: string }
  | { console: string; length: number }
  | { denied: string }

/** Looked for here and nowhere else: only root can put a program into these. */
const path = ['/usr/sbin', '/usr/bin', '/sbin', '/bin']

export const environment = { PATH: path.join(':') } as const

const netnsPattern = pattern('NETNS')

export function decide(
  project: Project,
  caller: Caller | undefined,
  { command, args, input, netns }: Omit<Request, 'id'>,
): Decision {
  const list = lists[project]
  const tool = Object.hasOwn(list, command) ? list[command] : undefined
  if (tool === undefined) return { denied: `${command} is no command that ${project} may have run as root` }
  const text = joined(args)
  if (text === undefined)
    return { denied: 'an argument is empty, or has blanks, quotes or other signs in it' }
  const form = tool.forms.find((each) => each.args.test(text))
  if (form === undefined) return { denied: `${project} may not run ${command} with these arguments` }
  const wrong = wrongLine(form.lines, input)
  if (wrong !== undefined) return { denied: `${project} may not give ${command} the line: ${wrong}` }
  if (tool.isConsoleTail === true) {
    const [console = '', length] = args
    return { console, length: Number(length) }
  }
  const file = find(command)
  if (file === undefined) return { denied: `there is no ${command} in ${path.join(', ')}` }
  const needsNetns = tool.asCaller !== undefined || form.inNetns === true
  if (!needsNetns && netns !== undefined)
    return { denied: `${command} is not run in a namespace with these arguments` }
  if (!needsNetns) return { file, args, input: input ?? '' }
  return inNamespace(tool, caller, netns, [file, ...args])
}

/** The first line that is not allowed; undefined when all are. */
function wrongLine(allowed: readonly RegExp[] | undefined, input = ''): string | undefined {
  if (allowed === undefined) return input === '' ? undefined : input.split('\n', 1)[0]
  const lines = linesOf(input)
  if (lines === undefined) return 'one that is not ended, or has quotes or other signs in it'
  return lines.find((line) => !allowed.some((each) => each.test(line)))
}

function find(command: string): string | undefined {
  return path.map((directory) => `${directory}/${command}`).find((file) => existsSync(file))
}

function inNamespace(
  { asCaller }: Tool,
  caller: Caller | undefined,
  netns: string | undefined,
  command: readonly string[],
): Decision {
  if (netns === undefined || !netnsPattern.test(netns))
    return { denied: `${command[0]} runs only in the namespace of a network` }
  const [ip, setpriv] = [find('ip'), find('setpriv')]
  if (ip === undefined || setpriv === undefined)
    return { denied: 'there is no ip or no setpriv (util-linux)' }
  const enter = ['netns', 'exec', netns]
  if (asCaller === undefined) return { file: ip, args: [...enter, ...command], input: '' }
  if (caller === undefined)
    return { denied: 'who asks is not known: sudo says so, and did not start this helper' }
  const all = ['-all', ...asCaller.capabilities.map((name) => `+${name}`)].join(',')
  const drop = [`--reuid=${caller.uid}`, `--regid=${caller.gid}`, '--clear-groups', '--no-new-privs']
  const keep = [`--inh-caps=${all}`, `--ambient-caps=${all}`, `--bounding-set=${all}`]
  return { file: ip, args: [...enter, setpriv, ...drop, ...keep, ...command], input: '' }
}
