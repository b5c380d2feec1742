import type { NetworkInterface } from '#network/client.ts'

/** What metadata tells a guest about itself; the same for the metadata service and the config drive. */
export interface InstanceFacts {
  uuid: string
  /** `instances.id`, the number in EC2's `i-…`. */
  number: number
  displayName: string
  hostname: string
  projectId: string
  imageId: string
  flavorName: string
  availabilityZone: string
  launchIndex: number
  reservationId: string
  /** The server's own metadata. */
  meta: Readonly<Record<string, string>>
  keypair: { name: string; type: string; publicKey: string } | null
  /** Base64, as it came. */
  userData: string | null
  securityGroups: readonly string[]
  interfaces: readonly NetworkInterface[]
  /** Only on a config drive made at the first boot. */
  adminPassword?: string
  /** The password that the guest posted, encrypted with its key. */
  postedPassword: string
}

/** Appended to host names; nova's `[api] dhcp_domain`. */
export const dhcpDomain = 'novalocal'

export const fullHostname = (facts: InstanceFacts): string => `${facts.hostname}.${dhcpDomain}`
