import type { ConductorDeps } from './deps.ts'

/**
 * Removes a guest from its host. A host that is down cannot be asked: when it comes back, what is on it without an
 * instance is removed.
 */
export async function destroyGuest(
  { agents, directory, log }: Pick<ConductorDeps, 'agents' | 'directory' | 'log'>,
  { uuid, cellId, host }: { uuid: string; cellId: number; host: string },
): Promise<void> {
  if (!(await directory.isUp(host))) {
    log.warn({ uuid, host }, 'the host is down: its guest is removed when it comes back')
    return
  }
  await agents(cellId).destroy({ uuid }, { server: host })
}
