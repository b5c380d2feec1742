/** `keystone-manage`, as data. */
import { systemClock } from '#base/clock.ts'
import { migrate, newestApplied } from '#base/db/migrate.ts'
import { Fault } from '#base/errors.ts'
import { type DatabaseManage, pendingMigrations, refuseOlder } from '#base/manage/database-manage.ts'
import type { Given, ManageCommand, ManageOption } from '#base/manage/program.ts'
import { bootstrapIdentity } from '../bootstrap.ts'
import { openCredentialCipher } from '../credential-cipher.ts'
import { createPasswordHasher } from '../passwords.ts'
import { migrations } from '../store/migrations/list.ts'
import type { Tables } from '../store/tables.ts'
import { TokenKeys } from '../tokens/keys.ts'
import { giveFiles } from './give-files.ts'

export interface KeystoneManage extends DatabaseManage<Tables> {
  /** `[fernet_tokens] key_repository`. */
  keyDirectory: string
  /** `[fernet_tokens] max_active_keys`. */
  maxActiveKeys: number
  environment: Readonly<Record<string, string | undefined>>
}

const owner: readonly ManageOption[] = [
  { flags: '--keystone-user <user>', help: 'whose the files are to be' },
  { flags: '--keystone-group <group>', help: 'which group the files are to have' },
]

const bootstrapOption = (name: string, help: string): ManageOption => ({
  flags: `--bootstrap-${name} <${name}>`,
  help: `${help} (or OS_BOOTSTRAP_${name.replaceAll('-', '_').toUpperCase()})`,
})

async function setUpKeys(given: Given, deps: KeystoneManage): Promise<number> {
  new TokenKeys(deps.keyDirectory)
  await giveKeys(given, deps)
  return 0
}

async function rotateKeys(given: Given, deps: KeystoneManage): Promise<number> {
  new TokenKeys(deps.keyDirectory).rotate(deps.maxActiveKeys)
  await giveKeys(given, deps)
  return 0
}

const giveKeys = (given: Given, deps: KeystoneManage): Promise<void> =>
  giveFiles(deps.keyDirectory, {
    user: given['keystoneUser'] as string | undefined,
    group: given['keystoneGroup'] as string | undefined,
  })

export const keystoneManageCommands: readonly ManageCommand<KeystoneManage>[] = [
  {
    name: 'db_sync',
    help: 'bring the database up to date',
    arguments: ['[version]'],
    options: [
      { flags: '--expand', help: 'only what running servers do not notice: everything, in this version' },
      { flags: '--migrate', help: 'only moving data: nothing, in this version' },
      { flags: '--contract', help: 'only removing what is no longer needed: nothing, in this version' },
      { flags: '--check', help: 'change nothing; exit with 2 when the database must be expanded' },
    ],
    async run(given, deps) {
      refuseOlder(given['version'], migrations)
      if (given['check'] === true) {
        if ((await pendingMigrations(deps.db(), migrations)).length === 0) {
          deps.print('All db_sync commands are up to date.')
          return 0
        }
        deps.print('Your database is not up to date. Run `keystone-manage db_sync` (or `db_sync --expand`).')
        return 2
      }
      if (given['migrate'] !== true && given['contract'] !== true) await migrate(deps.db(), migrations)
      return 0
    },
  },
  {
    name: 'db_version',
    help: 'print the version of the database',
    async run(_given, deps) {
      deps.print((await newestApplied(deps.db(), migrations)) ?? 'None')
      return 0
    },
  },
  {
    name: 'bootstrap',
    help: 'make the first user, project, roles and the catalog entry of identity; again: only the password is set',
    options: [
      bootstrapOption('username', 'name of the first user, admin unless given'),
      bootstrapOption('password', 'its password'),
      bootstrapOption('project-name', 'its project, admin unless given'),
      bootstrapOption('role-name', 'its role, admin unless given'),
      bootstrapOption('service-name', 'name of identity in the catalog, keystone unless given'),
      bootstrapOption('public-url', 'where clients reach identity'),
      bootstrapOption('internal-url', 'where services reach identity'),
      bootstrapOption('admin-url', 'where administrators reach identity'),
      bootstrapOption('region-id', 'the region, RegionOne unless given'),
      { flags: '--immutable-roles', help: 'accepted: the roles that come with identity can be changed' },
      { flags: '--no-immutable-roles', help: 'the roles that come with identity can be changed' },
    ],
    run: bootstrap,
  },
  { name: 'fernet_setup', help: 'make the keys that tokens are signed with', options: owner, run: setUpKeys },
  { name: 'fernet_rotate', help: 'sign tokens with a new key', options: owner, run: rotateKeys },
  { name: 'token_setup', help: 'the same as fernet_setup', options: owner, run: setUpKeys },
  { name: 'token_rotate', help: 'the same as fernet_rotate', options: owner, run: rotateKeys },
  {
    name: 'credential_setup',
    help: 'make the key that credentials are encrypted with',
    options: owner,
    async run(given, deps) {
      openCredentialCipher(deps.keyDirectory)
      await giveKeys(given, deps)
      return 0
    },
  },
]

async function bootstrap(given: Given, deps: KeystoneManage): Promise<number> {
  const take = (key: string, variable: string): string | undefined =>
    (given[`bootstrap${key}`] as string | undefined) ?? deps.environment[`OS_BOOTSTRAP_${variable}`]
  const adminPassword = take('Password', 'PASSWORD')
  if (adminPassword === undefined || adminPassword === '') {
    throw new Fault(
      'invalid',
      'The first user needs a password: give --bootstrap-password, or set OS_BOOTSTRAP_PASSWORD.',
    )
  }
  if ((await pendingMigrations(deps.db(), migrations)).length > 0) {
    throw new Fault(
      'unavailable',
      "Identity's database has not the tables of this version: run keystone-manage db_sync first.",
    )
  }
  const urls = {
    public: take('PublicUrl', 'PUBLIC_URL'),
    internal: take('InternalUrl', 'INTERNAL_URL'),
    admin: take('AdminUrl', 'ADMIN_URL'),
  }
  const known = Object.fromEntries(Object.entries(urls).filter(([, url]) => url !== undefined))
  await bootstrapIdentity(
    { db: deps.db(), passwords: createPasswordHasher(), clock: systemClock },
    {
      adminPassword,
      admin: {
        user: take('Username', 'USERNAME') ?? 'admin',
        project: take('ProjectName', 'PROJECT_NAME') ?? 'admin',
        role: take('RoleName', 'ROLE_NAME') ?? 'admin',
      },
      region: take('RegionId', 'REGION_ID') ?? 'RegionOne',
      services: [{ type: 'identity', name: take('ServiceName', 'SERVICE_NAME') ?? 'keystone', urls: known }],
      serviceUsers: {},
    },
  )
  return 0
}
