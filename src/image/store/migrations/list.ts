import type { Migration } from '../../../base/db/migrate.ts'
import { initial } from './001-initial.ts'

export const migrations: readonly Migration[] = [initial]
