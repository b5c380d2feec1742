import type { Migration } from '../../../base/db/migrate.ts'
import { initial } from './001-initial.ts'

/** Oldest first; a migration is never edited after a release. */
export const migrations: readonly Migration[] = [initial]
