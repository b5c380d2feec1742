import type { ConductorDeps } from './deps.ts'

/**
 * Ends a guest on its host, with its disks. A host that is down is told as soon as it is back: the message waits for
 * it, behind all that it was asked before. Should that be lost too, the host finds by itself what is no more
 * (`sync-guests`), at its start, when it is connected again, and every ten minutes.
 */
export async function destroyGuest(
  { agents, directory, log }: Pick<ConductorDeps, 'agents' | 'directory' | 'log'>,
  { uuid, cellId, host }: { uuid: string; cellId: number; host: string },
): Promise<void> {
  if (!(await directory.isUp(host))) {
    log.warn({ uuid, host }, 'the host is down: its guest is ended when it comes back')
    await agents(cellId).reap({ uuid }, { server: host })
    return
  }
  await agents(cellId).destroy({ uuid }, { server: host })
}
