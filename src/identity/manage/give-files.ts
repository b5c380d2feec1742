import { execFile } from 'node:child_process'
import { chownSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Fault } from '#base/errors.ts'

/** Makes a directory and its files belong to a user and a group; those that are not given stay as they are. */
export async function giveFiles(
  directory: string,
  to: { user: string | undefined; group: string | undefined },
): Promise<void> {
  if (to.user === undefined && to.group === undefined) return
  const uid = to.user === undefined ? -1 : await numberOf('passwd', to.user)
  const gid = to.group === undefined ? -1 : await numberOf('group', to.group)
  for (const path of [directory, ...readdirSync(directory).map((name) => join(directory, name))]) {
    try {
      chownSync(path, uid, gid)
    } catch (error) {
      throw new Fault(
        'forbidden',
        `The owner of ${path} cannot be changed; run this as root.`,
        { path },
        error,
      )
    }
  }
}

/** The number of a user or group, by name or by the number itself. */
async function numberOf(database: 'passwd' | 'group', name: string): Promise<number> {
  try {
    const { stdout } = await promisify(execFile)('getent', [database, '--', name])
    return Number(stdout.split(':')[2])
  } catch (error) {
    const what = database === 'passwd' ? 'user' : 'group'
    throw new Fault('invalid', `There is no ${what} ${name} on this host.`, { [what]: name }, error)
  }
}
