/** Wires compute's API by hand. */
import type { FastifyInstance } from 'fastify'
import type { Kysely } from 'kysely'
import { imageClient } from '#image/client.ts'
import { deviceGroups, networkClient } from '#network/client.ts'
import type { PlacementClient } from '#placement/client.ts'
import type { TokenValidator } from '../../base/auth/context.ts'
import { createPolicy } from '../../base/auth/policy/policy.ts'
import type { PolicyOverrides } from '../../base/auth/policy/policy-file.ts'
import type { Bus } from '../../base/bus/bus.ts'
import { rpcClient } from '../../base/bus/rpc.ts'
import { gathered } from '../../base/gathered.ts'
import type { Send } from '../../base/http/client.ts'
import type { Logger } from '../../base/log.ts'
import { type ComputeApiConfig, defaultComputeApiConfig } from '../config.ts'
import type { AgentClient } from '../rpc/agent.ts'
import { conductorRpc } from '../rpc/conductor.ts'
import type { ApiTables } from '../store/api-tables.ts'
import type { CellDbs } from '../store/cell-dbs.ts'
import { createComputeApi } from './app.ts'
import { computePolicies } from './policies.ts'
import { projectLookup } from './project-lookup.ts'

export interface StartApiOptions {
  apiDb: Kysely<ApiTables>
  cells: CellDbs
  /** Where conductors listen. */
  bus: Bus
  agents: (cellId: number) => AgentClient
  placement: PlacementClient
  /** These are called with the tokens of who asks. */
  identity: Send
  image: Send
  network: Send
  tokens: TokenValidator
  log: Logger
  identityUri: string
  policyOverrides?: PolicyOverrides
  config?: Partial<ComputeApiConfig>
}

/** The app; the caller listens with it and closes it. */
export function startApi(options: StartApiOptions): FastifyInstance {
  const { apiDb, cells, bus, agents, placement, tokens, log, identityUri } = options
  const networkOf = (token: string) => networkClient(options.network, async () => token)
  const groupsOf = gathered(deviceGroups(options.network))
  return createComputeApi({
    deps: {
      apiDb,
      cells,
      config: { ...defaultComputeApiConfig, ...options.config },
      identity: projectLookup(options.identity),
      conductor: rpcClient(bus, conductorRpc),
      agents,
      placement,
      networkFor: (token) => ({
        ...networkOf(token),
        securityGroupsByDevice: (servers) => groupsOf(token, servers),
      }),
      imagesFor: (token) => imageClient(options.image, async () => token),
    },
    tokens,
    policy: createPolicy(computePolicies, options.policyOverrides),
    log,
    identityUri,
  })
}
