import type { Migration } from '../../../base/db/migrate.ts'
import { initial } from './001-initial.ts'
import { metadefs } from './002-metadefs.ts'

export const migrations: readonly Migration[] = [initial, metadefs]
