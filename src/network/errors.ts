/** Neutron's names and messages for what can go wrong; `details.type` is what clients look at. */
import { Fault, type FaultKind } from '../base/errors.ts'

/** A fault under neutron's name for it. */
export const neutronFault = (kind: FaultKind, type: string, message: string): Fault =>
  new Fault(kind, message, { type })

/** A body or query that is malformed before any resource is looked at. */
export const badRequest = (message: string): Fault => neutronFault('invalid', 'HTTPBadRequest', message)

/** `Invalid input for operation: <reason>.` */
export const invalidInput = (reason: string): Fault =>
  neutronFault('invalid', 'InvalidInput', `Invalid input for operation: ${reason}.`)

/** `Bad <resource> request: <reason>.` */
export const badResource = (resource: string, reason: string): Fault =>
  neutronFault('invalid', 'BadRequest', `Bad ${resource} request: ${reason}.`)

/** What callers see of things that they may not know of. */
export const hidden = (): Fault =>
  neutronFault('not-found', 'HTTPNotFound', 'The resource could not be found.')

/** How each resource says that an id is unknown. */
export const unknown = {
  network: (id: string) => neutronFault('not-found', 'NetworkNotFound', `Network ${id} could not be found.`),
  subnet: (id: string) => neutronFault('not-found', 'SubnetNotFound', `Subnet ${id} could not be found.`),
  port: (id: string) => neutronFault('not-found', 'PortNotFound', `Port ${id} could not be found.`),
  subnetpool: (id: string) =>
    neutronFault('not-found', 'SubnetPoolNotFound', `Subnet pool ${id} could not be found.`),
  securityGroup: (id: string) =>
    neutronFault('not-found', 'SecurityGroupNotFound', `Security group ${id} does not exist`),
  securityGroupRule: (id: string) =>
    neutronFault('not-found', 'SecurityGroupRuleNotFound', `Security group rule ${id} does not exist`),
  addressGroup: (id: string) =>
    neutronFault('not-found', 'AddressGroupNotFound', `Address group ${id} could not be found.`),
  addressScope: (id: string) =>
    neutronFault('not-found', 'AddressScopeNotFound', `Address scope ${id} could not be found.`),
  agent: (id: string) => neutronFault('not-found', 'AgentNotFound', `Agent ${id} could not be found.`),
  rbacPolicy: (id: string) =>
    neutronFault('not-found', 'RbacPolicyNotFound', `RBAC policy of type None with ID ${id} not found`),
  flavor: (id: string) => neutronFault('not-found', 'FlavorNotFound', `Flavor ${id} could not be found.`),
  serviceProfile: (id: string) =>
    neutronFault('not-found', 'ServiceProfileNotFound', `Service Profile ${id} could not be found.`),
  tag: (tag: string) => neutronFault('not-found', 'TagNotFound', `Tag ${tag} could not be found.`),
} as const

/** The message and type of one `conflict`. */
export const conflict = (type: string, message: string): Fault => neutronFault('conflict', type, message)
/** The message and type of one `invalid`. */
export const invalid = (type: string, message: string): Fault => neutronFault('invalid', type, message)

export const subnetInUse = (id: string, reason: string): Fault =>
  conflict('SubnetInUse', `Unable to complete operation on subnet ${id}: ${reason}`)

export const ipAddressInUse = (networkId: string, address: string): Fault =>
  conflict(
    'IpAddressInUse',
    `Unable to complete operation for network ${networkId}. The IP address ${address} is in use.`,
  )

export const macAddressInUse = (networkId: string, mac: string): Fault =>
  conflict(
    'MacAddressInUse',
    `Unable to complete operation for network ${networkId}. The mac address ${mac} is in use.`,
  )
