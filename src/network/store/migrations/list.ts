import type { Migration } from '../../../base/db/migrate.ts'
import { createInitialTables } from './001-initial.ts'

/** Oldest first. */
export const networkMigrations: readonly Migration[] = [{ name: '001-initial', up: createInitialTables }]
