/** `onboard_network_subnets`: subnets that are there become a pool's, and their prefixes with them. */
import { invalid, invalidInput, neutronFault, unknown } from '../../errors.ts'
import { overlaps, parseCidr } from '../../ipam/ip.ts'
import { sharedWith } from '../../store/rbac-policies.ts'
import { touch } from '../../store/standard.ts'
import type { SubnetPoolRow } from '../../store/tables.ts'
import type { Work } from '../../work.ts'
import type { ResourceAction } from '../actions.ts'
import type { Caller } from '../caller.ts'
import { growPrefixes, readPrefixes } from './subnetpool.ts'

export const onboardNetworkSubnets: ResourceAction = {
  name: 'onboard_network_subnets',
  async run(work, pool: SubnetPoolRow, body, caller) {
    const networkId = (body as { network_id?: unknown } | undefined)?.network_id
    if (typeof networkId !== 'string') throw invalidInput('network_id must be specified.')
    await assertOwnNetwork(work, networkId, caller)
    // Writing the row first makes others wait, so that no two take the same prefix.
    await touch(work, 'subnetpools', pool.id)
    const subnets = await work.db
      .selectFrom('subnets')
      .select(['id', 'cidr'])
      .where('network_id', '=', networkId)
      .where('ip_version', '=', pool.ip_version)
      .orderBy('id')
      .execute()
    if (subnets.length === 0) return []
    const taken = await work.db
      .selectFrom('subnets')
      .select('cidr')
      .where('subnetpool_id', '=', pool.id)
      .execute()
    const ranges = taken.map(({ cidr }) => parseCidr(cidr)!)
    for (const { id, cidr } of subnets) {
      if (!ranges.some((range) => overlaps(range, parseCidr(cidr)!))) continue
      throw invalid(
        'IllegalSubnetPoolUpdate',
        `Illegal subnetpool update : Onboarding subnet ${id}: ${cidr} conflicts with allocated prefixes in subnet pool ${pool.id}.`,
      )
    }
    const before = await readPrefixes(work, pool.id)
    await growPrefixes(work, pool, before, [...before, ...subnets.map(({ cidr }) => cidr)])
    for (const { id } of subnets) {
      await work.db.updateTable('subnets').set({ subnetpool_id: pool.id }).where('id', '=', id).execute()
      await touch(work, 'subnets', id)
    }
    return subnets
  },
  reply: (_view, onboarded) => onboarded,
}

/** Who may only use a network must not decide which address scope its subnets are in. */
async function assertOwnNetwork(work: Work, networkId: string, caller: Caller): Promise<void> {
  const shared = sharedWith('networks.id', caller.projectId, ['access_as_shared', 'access_as_external'])
  const network = await work.db
    .selectFrom('networks')
    .select(['project_id', shared.as('shared')])
    .where('id', '=', networkId)
    .executeTakeFirst()
  const isOwn = network !== undefined && (caller.admin || network.project_id === caller.projectId)
  if (isOwn) return
  if (network === undefined || !network.shared) throw unknown.network(networkId)
  throw neutronFault('forbidden', 'NotAuthorized', 'Not authorized.')
}
