/**
 * The log of what changed for agents, or for who shows the groups of servers' ports. Its revision is raised as the last
 * thing before a commit: the row's lock makes transactions end in the order of their revisions, so one who has read
 * revision n has missed none below it. There are no gaps: a transaction that is rolled back takes its revision back.
 */
import { type Kysely, sql } from 'kysely'
import type { Db } from '../../base/db/database.ts'
import { statement } from '../../base/db/statement.ts'
import type { Tables } from './tables.ts'

const raiseRevision = statement((db: Db<Tables>, _: object) =>
  db
    .updateTable('agent_revision')
    .set((eb) => ({ revision: eb('revision', '+', 1) }))
    .where('id', '=', 1),
)

const insertChange = statement((db: Db<Tables>, p: { changes: string; now: string }) =>
  db
    .insertInto('agent_changes')
    .columns(['revision', 'changes', 'created_at'])
    .expression((eb) =>
      eb
        .selectFrom('agent_revision')
        .select(['revision', sql<string>`${p.changes}`.as('changes'), sql<string>`${p.now}`.as('created_at')])
        .where('id', '=', 1),
    ),
)

/** Writes what a transaction changed; nothing but the commit may come after it. */
export async function logChanges(db: Db<Tables>, changes: string, now: string): Promise<void> {
  await raiseRevision(db, {})
  await insertChange(db, { changes, now })
}

/** So many changes are looked at one by one; after more, reading everything anew is as cheap. */
const mostChanges = 2000

// Not sorted here: MariaDB would write the texts to a table on its disk for that.
const readLog = statement((db: Kysely<Tables>, p: { since: number }) =>
  db
    .selectFrom('agent_revision as head')
    .leftJoin('agent_changes as log', (join) => join.on('log.revision', '>', p.since))
    .select(['head.epoch', 'head.revision as current', 'log.revision', 'log.changes'])
    .where('head.id', '=', 1)
    .limit(mostChanges + 1),
)

/** What of a log that keeps far fewer rows is after it: nothing. */
const afterAll = Number.MAX_SAFE_INTEGER

/** A logged row: what changed at a revision. */
export interface LoggedChanges {
  revision: number
  changes: string
}

const readHead = statement((db: Kysely<Tables>, _: object) =>
  db.selectFrom('agent_revision').select(['epoch', 'revision']).where('id', '=', 1),
)

/** The newest revision, as `readChanges` tells it; what is read after it is at least as new. */
export async function readRevision(db: Kysely<Tables>): Promise<string> {
  const { epoch, revision } = (await readHead(db, {})).rows[0]!
  return `${epoch}:${revision}`
}

/**
 * Everything logged after the revision `since`, oldest first, and the revision it leads to. `changes` is undefined when
 * the log does not say: no revision was given, it is another database's, or the log no longer reaches back to it.
 */
export async function readChanges(
  db: Kysely<Tables>,
  since: string | null,
): Promise<{ revision: string; changes: LoggedChanges[] | undefined }> {
  const [theirs, text] = since?.split(':') ?? []
  const from = Number(text)
  const known = Number.isSafeInteger(from)
  const { rows } = await readLog(db, { since: known ? from : afterAll })
  const head = rows[0]!
  const current = Number(head.current)
  const at = (revision: number): string => `${head.epoch}:${revision}`
  if (!known || theirs !== head.epoch || from > current) return { revision: at(current), changes: undefined }
  const logged = rows
    .flatMap((row) => (row.changes === null ? [] : { revision: Number(row.revision), changes: row.changes }))
    .sort((one, other) => one.revision - other.revision)
  if (
    logged.length > mostChanges ||
    (logged.length === 0 ? from !== current : logged[0]!.revision !== from + 1)
  )
    return { revision: at(current), changes: undefined }
  return { revision: at(logged.at(-1)?.revision ?? from), changes: logged }
}

/** So many changes are kept: agents that were away for longer read everything anew. */
const keptChanges = 5000

/** Deletes what is too old to be asked for. */
export async function pruneChanges(db: Kysely<Tables>): Promise<void> {
  const newest = await db
    .selectFrom('agent_revision')
    .select('revision')
    .where('id', '=', 1)
    .executeTakeFirstOrThrow()
  const oldest = Number(newest.revision) - keptChanges
  await db.deleteFrom('agent_changes').where('revision', '<=', oldest).execute()
}
