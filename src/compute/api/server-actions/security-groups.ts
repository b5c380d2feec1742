import type { NetworkClient, SecurityGroup } from '#network/client.ts'
import { Fault } from '../../../base/errors.ts'
import type { Instance } from '../../store/instance-records.ts'
import type { NetworkDeps } from '../deps.ts'
import type { Request } from '../servers/server-route.ts'

/** Puts a security group on every port of the server that heeds them. */
export async function addSecurityGroup(
  request: Request,
  deps: NetworkDeps,
  instance: Instance,
): Promise<void> {
  const client = deps.networkFor(request.context.token)
  const { name } = (request.body as { addSecurityGroup: { name: string } }).addSecurityGroup
  const group = await findGroup(client, name, instance.project_id)
  for (const port of await portsOf(client, instance)) {
    if (!port.portSecurityEnabled || port.fixedIps.length === 0) continue
    if (port.securityGroupIds.includes(group.id)) continue
    await client.updatePort(port.id, { securityGroupIds: [...port.securityGroupIds, group.id] })
  }
}

/** Takes a security group off every port of the server. */
export async function removeSecurityGroup(
  request: Request,
  deps: NetworkDeps,
  instance: Instance,
): Promise<void> {
  const client = deps.networkFor(request.context.token)
  const { name } = (request.body as { removeSecurityGroup: { name: string } }).removeSecurityGroup
  const group = await findGroup(client, name, instance.project_id)
  const ports = await portsOf(client, instance)
  const withGroup = ports.filter((port) => port.securityGroupIds.includes(group.id))
  if (withGroup.length === 0) {
    throw new Fault(
      'not-found',
      `Security group ${group.id} is not associated with the instance ${instance.uuid}`,
    )
  }
  for (const port of withGroup) {
    const securityGroupIds = port.securityGroupIds.filter((id) => id !== group.id)
    await client.updatePort(port.id, { securityGroupIds })
  }
}

async function portsOf(client: NetworkClient, instance: Instance) {
  const ports = await client.listPortsByDevice([instance.uuid])
  if (ports.length > 0) return ports
  throw new Fault(
    'not-found',
    `Instance ${instance.uuid} has no ports that a security group could be put on.`,
  )
}

async function findGroup(client: NetworkClient, name: string, projectId: string): Promise<SecurityGroup> {
  const groups = await client.listSecurityGroups({ projectId })
  const found = groups.filter((group) => group.id === name || group.name === name)
  if (found.length === 1) return found[0]!
  const byId = found.find((group) => group.id === name)
  if (byId !== undefined) return byId
  if (found.length === 0) throw new Fault('not-found', `Security group ${name} not found.`)
  throw new Fault(
    'conflict',
    `Multiple security groups found matching '${name}'. Use an ID to be more specific.`,
  )
}
