import { requireLab } from './lab.ts'
import { runInTerminal } from './on-host.ts'

/** A login shell on a host, or a command run there; gives its exit code. */
export async function labEnter(
  host: string,
  command: readonly string[],
  options: { directory: string },
): Promise<number> {
  const lab = await requireLab(options.directory)
  return runInTerminal(lab.holder(host), command.length === 0 ? ['bash', '-i'] : command)
}
