import { busContract } from '../../../src/base/bus/contract.ts'
import { openTestBus, sharedRabbitmq, skip } from './broker.ts'

// One handler of the contract never ends.
const graceSeconds = 0.2

const open =
  (options = {}) =>
  async () =>
    openTestBus((await sharedRabbitmq()).ownUrl(), { graceSeconds, options })

busContract('rabbit', open(), { skip })
busContract('rabbit with quorum queues', open({ rabbitQuorumQueue: true }), { skip })
