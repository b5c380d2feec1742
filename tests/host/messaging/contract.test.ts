import { busContract } from '../../../src/base/bus/contract.ts'
import { openTestBus, ownExchange, sharedRabbitmq, skip } from './broker.ts'

// One handler of the contract never ends.
const open = async () => openTestBus((await sharedRabbitmq()).url(), ownExchange(), { graceSeconds: 0.2 })

busContract('rabbit', open, { skip })
busContract(
  'rabbit, quorum queues',
  async () => {
    const url = (await sharedRabbitmq()).url()
    return openTestBus(url, ownExchange(), { graceSeconds: 0.2, options: { rabbitQuorumQueue: true } })
  },
  { skip },
)
