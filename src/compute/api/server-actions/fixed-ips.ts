/** One more, or one less, address on a server's ports; up to 2.43. */
import { Fault } from '../../../base/errors.ts'
import type { Instance } from '../../store/instance-records.ts'
import type { NetworkDeps } from '../deps.ts'
import type { Request } from '../servers/server-route.ts'

export async function addFixedIp(request: Request, deps: NetworkDeps, instance: Instance): Promise<void> {
  const client = deps.networkFor(request.context.token)
  const { networkId } = (request.body as { addFixedIp: { networkId: string } }).addFixedIp
  const ports = await client.listPortsByDevice([instance.uuid])
  const port = ports.find((candidate) => candidate.networkId === networkId)
  const [subnet] = port === undefined ? [] : await client.listSubnets({ networkIds: [networkId] })
  if (port === undefined || subnet === undefined) {
    throw new Fault('not-found', `Network could not be found for instance ${instance.uuid}.`)
  }
  await client.updatePort(port.id, { fixedIps: [...port.fixedIps, { subnetId: subnet.id }] })
}

export async function removeFixedIp(request: Request, deps: NetworkDeps, instance: Instance): Promise<void> {
  const client = deps.networkFor(request.context.token)
  const { address } = (request.body as { removeFixedIp: { address: string } }).removeFixedIp
  const ports = await client.listPortsByDevice([instance.uuid])
  const port = ports.find(({ fixedIps }) => fixedIps.some(({ ipAddress }) => ipAddress === address))
  if (port === undefined) {
    throw new Fault('invalid', `Instance ${instance.uuid} does not have fixed IP '${address}'.`)
  }
  await client.updatePort(port.id, {
    fixedIps: port.fixedIps.filter(({ ipAddress }) => ipAddress !== address),
  })
}
