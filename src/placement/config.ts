/** What an operator may settle in `placement.conf`. */
import { loadConfig } from '../base/config/load.ts'
import { bool, type Config, choice, int, type Options, text } from '../base/config/option.ts'
import type { PlacementSettings } from './api/deps.ts'

const group = 'placement'
const nobody = '00000000-0000-0000-0000-000000000000'

export const placementOptions = {
  randomize: {
    group,
    name: 'randomize_allocation_candidates',
    type: bool,
    default: false,
    help: 'Whether a limited answer holds a random sample of all allocation candidates, so that clients who ask at the same time are sent to different hosts. Otherwise the first candidates are returned, in an order that stays the same.',
  },
  maxCandidates: {
    group,
    name: 'max_allocation_candidates',
    type: int({ min: -1 }),
    default: -1,
    help: 'The most allocation candidates that are made for one request, before its own limit applies. -1: as many as there are.',
  },
  strategy: {
    group,
    name: 'allocation_candidates_generation_strategy',
    type: choice('depth-first', 'breadth-first'),
    default: 'depth-first',
    help: 'Whether all candidates of one provider tree are made before those of the next, or one of each tree before the second of any. Breadth first suits hosts with many alike devices when the candidates are limited.',
  },
  incompleteProjectId: {
    group,
    name: 'incomplete_consumer_project_id',
    type: text,
    default: nobody,
    help: 'The project of consumers whose allocations were written without one, as was possible before microversion 1.8.',
  },
  incompleteUserId: {
    group,
    name: 'incomplete_consumer_user_id',
    type: text,
    default: nobody,
    help: 'The user of consumers whose allocations were written without one, as was possible before microversion 1.8.',
  },
  conflictAttempts: {
    group,
    name: 'allocation_conflict_retry_count',
    type: int({ min: 1 }),
    default: 10,
    help: 'How often writing allocations is tried when other writers change the same providers.',
  },
} as const satisfies Options

/** The settings of an API from its configuration. */
export const settingsFrom = (config: Config<typeof placementOptions>): PlacementSettings => ({ ...config })

export const defaultSettings: PlacementSettings = settingsFrom(loadConfig(placementOptions).config)
