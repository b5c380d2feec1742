/**
 * `kilonova rotate-secrets`: new secrets, and everything that holds them brought to what the store says. Each step may
 * run twice, and the store says which are done: run again after a failure, it goes on where it was.
 */
import { parseDatabaseUrl } from '../../base/db/url.ts'
import { silentLogger } from '../../base/log.ts'
import { hostRun, type Run } from '../../linux/run.ts'
import { makeDatabases } from '../db/create-databases.ts'
import { bootstrapIdentity } from '../init/bootstrap.ts'
import { databases, databaseUrl } from '../init/config-files.ts'
import { type ControllerStore, filesOf, needController, writeStore } from '../init/store.ts'
import { refuseChangedByHand, writeFiles } from '../init/write-files.ts'
import { renewBrokerPassword } from './broker.ts'
import { renewCellMappings } from './cells.ts'
import { expandNames, renew } from './names.ts'
import { restartCommands } from './restarts.ts'

export interface RotateOptions {
  /** In place of `/etc`. */
  directory: string
  /** Who may change passwords of the database's users. */
  adminUrl?: string
  /** Write over what was changed by hand. */
  force?: boolean
}

/** The ways to the world outside of the files. */
export interface Tools {
  run: Run
  atIdentity: typeof bootstrapIdentity
}

interface Step {
  name: string
  /** Whether these secrets concern it. */
  for(names: readonly string[]): boolean
  run(): Promise<unknown>
}

export async function rotateSecrets(
  asked: readonly string[],
  options: RotateOptions,
  tools: Tools = { run: hostRun(silentLogger), atIdentity: bootstrapIdentity },
): Promise<number> {
  const { directory } = options
  const store = needController(directory)
  const begun = store.rotation?.names ?? []
  if (begun.length > 0) console.log(`Going on with ${begun.join(', ')}, which a run before this began.`)
  const names = (begun.length > 0 && asked.length === 0 ? [] : expandNames(asked)).filter(
    (name) => !begun.includes(name),
  )
  const writing = { directory, written: store.written, force: options.force === true }
  if (begun.length === 0) refuseChangedByHand(filesOf(store), writing)
  if (names.length > 0) {
    store.secrets = renew(store.secrets, names)
    // What a run before this did holds for its own secrets alone.
    store.rotation = { names: [...begun, ...names], done: [], changed: store.rotation?.changed ?? [] }
    writeStore(directory, store)
  }
  const rotation = store.rotation
  if (rotation === undefined) return 0
  for (const step of stepsOf(store, rotation, options, tools)) {
    if (rotation.done.includes(step.name) || !step.for(rotation.names)) continue
    await step.run()
    console.log(`done: ${step.name}`)
    rotation.done.push(step.name)
    writeStore(directory, store)
  }
  delete store.rotation
  writeStore(directory, store)
  tell(rotation, directory)
  return 0
}

function stepsOf(
  store: ControllerStore,
  rotation: NonNullable<ControllerStore['rotation']>,
  { directory, adminUrl, force }: RotateOptions,
  { run, atIdentity }: Tools,
): Step[] {
  const { settings, secrets, written } = store
  const isOf =
    (...kinds: string[]) =>
    (names: readonly string[]) =>
      names.some((name) => kinds.some((kind) => name === kind || name.startsWith(`${kind}.`)))
  return [
    {
      // First, while identity still reaches its database with the password that it knows.
      name: 'passwords at identity',
      for: isOf('admin', 'user'),
      run: () => atIdentity(store, directory),
    },
    {
      name: 'configuration files',
      for: () => true,
      run: async () => {
        const files = filesOf(store)
        const { wrote } = writeFiles(files, { directory, written, force: force === true })
        rotation.changed = [...new Set([...rotation.changed, ...wrote])]
      },
    },
    {
      name: 'passwords of database users',
      for: (names) => settings.database !== 'sqlite' && isOf('database')(names),
      run: () => {
        const wanted = Object.keys(databases)
          .filter((name) => rotation.names.includes(`database.${databases[name]}`))
          .map((name) => parseDatabaseUrl(databaseUrl(settings, secrets.database, name)))
        return makeDatabases(
          wanted.filter((url) => url.dialect !== 'sqlite'),
          adminUrl,
        )
      },
    },
    { name: 'password at the broker', for: isOf('rabbit'), run: () => renewBrokerPassword(store, run) },
    { name: 'mappings of cells', for: isOf('database.nova', 'rabbit'), run: () => renewCellMappings(store) },
  ]
}

function tell(
  { names, changed }: { names: readonly string[]; changed: readonly string[] },
  directory: string,
): void {
  const paths = changed.map((path) => path.replace(directory, '/etc'))
  const lines = [`New: ${names.join(', ')}.`]
  const commands = restartCommands(paths)
  if (commands.length > 0)
    lines.push('Programs that run know the old ones until you say:', ...commands.map((one) => `  ${one}`))
  if (paths.includes('/etc/kilonova/compute.secrets')) {
    lines.push(
      `Copy ${directory}/kilonova/compute.secrets to each compute host, and there:`,
      '  kilonova init compute --secrets FILE && systemctl restart openstack-nova-compute neutron-linuxbridge-agent',
    )
  }
  console.log(lines.join('\n'))
}
