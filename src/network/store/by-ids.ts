import { byIdsIn } from '../../base/db/by-ids.ts'
import type { Tables } from './tables.ts'

export const byIds = byIdsIn<Tables>()
