/** `kilonova bootstrap`: identity's administrator, and all that services need of identity. Again: puts right what is not so. */
import { join } from 'node:path'
import { Fault, isFault } from '../../base/errors.ts'
import type { Send } from '../../base/http/client.ts'
import { type AdminClient, type ApiName, adminClient } from '../admin-client.ts'
import { managePrograms } from '../manage/programs.ts'
import { inUrl } from './config-files.ts'
import { registerServices, sendsTo } from './register-services.ts'
import { usersOf } from './secrets.ts'
import { type ControllerStore, needController } from './store.ts'

export async function bootstrap(options: { directory: string }): Promise<number> {
  const done = await bootstrapIdentity(needController(options.directory), options.directory)
  console.log(done.length === 0 ? 'All is there already; nothing was changed.' : done.join('\n'))
  return 0
}

/** Gives what it made or changed. */
export async function bootstrapIdentity(
  { settings, secrets }: Pick<ControllerStore, 'settings' | 'secrets'>,
  directory: string,
): Promise<string[]> {
  const { controller } = settings
  const sends = sendsTo(controller)
  const done: string[] = []
  const admin = await logIn(sends, secrets.admin, async () => {
    done.push('administrator of identity')
    await setAdministrator(controller, secrets.admin, directory)
  })
  const users = usersOf(secrets)
  return [...done, ...(await registerServices({ admin, identity: sends.identity }, { controller, users }))]
}

/** Where identity refuses the administrator, or does not run yet, `setPassword` writes it into identity's database. */
async function logIn(
  sends: Readonly<Record<ApiName, Send>>,
  password: string,
  setPassword: () => Promise<void>,
): Promise<AdminClient> {
  try {
    return await adminClient(sends, password)
  } catch (error) {
    if (!isFault(error, 'unauthenticated') && !isFault(error, 'unavailable')) throw error
  }
  await setPassword()
  try {
    return await adminClient(sends, password)
  } catch (error) {
    throw new Fault(
      'unavailable',
      'Identity has its administrator, but does not let it in yet. Start it (systemctl start openstack-keystone), then run this again.',
      {},
      error,
    )
  }
}

async function setAdministrator(controller: string, password: string, directory: string): Promise<void> {
  const manage = managePrograms['keystone-manage']!
  const url = `http://${inUrl(controller)}:5000/v3/`
  const urls = ['admin', 'internal', 'public'].flatMap((kind) => [`--bootstrap-${kind}-url`, url])
  // Not on a command line, which other users' `ps` shows.
  process.env['OS_BOOTSTRAP_PASSWORD'] = password
  try {
    const file = join(directory, 'keystone/keystone.conf')
    const code = await manage([
      '--config-file',
      file,
      'bootstrap',
      '--bootstrap-region-id',
      'RegionOne',
      ...urls,
    ])
    if (code !== 0)
      throw new Fault('unavailable', 'keystone-manage bootstrap failed; the lines above say why.')
  } finally {
    delete process.env['OS_BOOTSTRAP_PASSWORD']
  }
}
