/** `nova-manage db archive_deleted_rows` and `purge`: what is deleted goes to shadow tables, and from there for good. */
import { setTimeout as sleep } from 'node:timers/promises'
import { prettyTable } from '../../base/manage/pretty-table.ts'
import { type Given, type ManageCommand, positive } from '../../base/manage/program.ts'
import { type Archived, archiveDeleted, forgetInstances, purgeArchived } from '../store/archive.ts'
import { cell0Uuid } from '../store/cell-dbs.ts'
import { cellsOf, type NovaManage, needDatabase } from './deps.ts'

const allCells = { flags: '--all-cells', help: 'in every cell, not only that of the configuration' }
const before = { flags: '--before <date>', help: 'only what was deleted before: YYYY-MM-DD [HH:mm[:ss]]' }
const verbose = { flags: '--verbose', help: 'print how many rows of each table' }

export const archiveCommands: readonly ManageCommand<NovaManage>[] = [
  {
    name: 'db archive_deleted_rows',
    help: 'move deleted rows to shadow tables',
    options: [
      { flags: '--max_rows <number>', help: 'at most so many instances, services and compute nodes (1000)' },
      before,
      verbose,
      { flags: '--until-complete', help: 'go on until nothing deleted is left, --max_rows at a time' },
      { flags: '--purge', help: 'then remove everything from the shadow tables' },
      allCells,
      { flags: '--task-log', help: 'accepted: there is no table task_log' },
      { flags: '--sleep <seconds>', help: 'with --until-complete: wait between the batches' },
    ],
    run: archive,
  },
  {
    name: 'db purge',
    help: 'remove rows from the shadow tables for good',
    options: [before, { flags: '--all', help: 'remove everything from them' }, verbose, allCells],
    run: purge,
  },
  {
    name: 'db online_data_migrations',
    help: 'migrate data while services run: there is nothing to migrate in this version',
    options: [{ flags: '--max-count <number>', help: 'at most so many objects' }],
    async run(given, deps) {
      if (given['maxCount'] !== undefined && positive(given['maxCount']) === undefined) {
        deps.print('Must supply a positive value for max_number')
        return 127
      }
      deps.print(prettyTable(['Migration', 'Total Needed', 'Completed'], []))
      return 0
    },
  },
]

async function archive(given: Given, deps: NovaManage): Promise<number> {
  const most = given['maxRows'] === undefined ? 1000 : positive(given['maxRows'])
  if (most === undefined) {
    deps.print('Must supply a positive value for max_rows')
    return 2
  }
  const date = dateOf(given)
  if (date instanceof Error) {
    deps.print(`Invalid value for --before: ${date.message}`)
    return 4
  }
  const untilComplete = given['untilComplete'] === true
  const total: Archived = {}
  const pause = Number(given['sleep'] ?? 0) * 1000
  for (const { prefix, url } of await chosenCells(given, deps)) {
    const db = deps.cellDb(url)
    while (true) {
      const { archived, instanceUuids } = await archiveDeleted(db, most, date)
      add(total, archived, prefix)
      add(total, await forgetInstances(deps.apiDb(), instanceUuids), prefix === '' ? '' : 'API_DB.')
      if (!untilComplete || sum(archived) === 0) break
      if (pause > 0) await sleep(pause)
    }
  }
  if (given['verbose'] === true) {
    deps.print(sum(total) === 0 ? 'Nothing was archived.' : counts(total, 'Number of Rows Archived'))
  }
  if (given['purge'] === true && sum(total) > 0) {
    if (given['verbose'] === true) deps.print('Rows were archived, running purge...')
    await purge({ ...given, all: date === undefined }, deps)
  }
  // As nova: 1 tells that there may be more.
  return untilComplete || sum(total) === 0 ? 0 : 1
}

async function purge(given: Given, deps: NovaManage): Promise<number> {
  if (given['before'] === undefined && given['all'] !== true) {
    deps.print('Either --before or --all is required')
    return 1
  }
  const date = dateOf(given)
  if (date instanceof Error) {
    deps.print(`Invalid value for --before: ${date.message}`)
    return 2
  }
  const total: Archived = {}
  for (const { prefix, url } of await chosenCells(given, deps)) {
    add(total, await purgeArchived(deps.cellDb(url), date), prefix)
  }
  if (given['verbose'] === true && sum(total) > 0) deps.print(counts(total, 'Number of Rows Purged'))
  return sum(total) === 0 ? 3 : 0
}

async function chosenCells(given: Given, deps: NovaManage): Promise<{ prefix: string; url: string }[]> {
  if (given['allCells'] !== true) return [{ prefix: '', url: needDatabase(deps) }]
  const cells = await cellsOf(deps)
  return cells.map((cell) => ({
    prefix: `${cell.uuid === cell0Uuid ? 'cell0' : cell.name || cell.uuid}.`,
    url: cell.database_connection,
  }))
}

/** The ISO time of `--before`, which is in this machine's time zone; undefined without it; an Error when it is no date. */
function dateOf(given: Given): string | undefined | Error {
  const text = given['before']
  if (typeof text !== 'string') return undefined
  const date = new Date(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00` : text)
  if (Number.isNaN(date.getTime())) return new Error(`'${text}' is no date; write YYYY-MM-DD [HH:mm:ss]`)
  return date.toISOString()
}

function add(total: Archived, more: Archived, prefix: string): void {
  for (const [table, count] of Object.entries(more)) {
    total[prefix + table] = (total[prefix + table] ?? 0) + count
  }
}

const sum = (counted: Archived): number => Object.values(counted).reduce((all, one) => all + one, 0)

const counts = (counted: Archived, heading: string): string =>
  prettyTable(
    ['Table', heading],
    Object.entries(counted)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([table, count]) => [table, String(count)]),
    { align: 'left' },
  )
