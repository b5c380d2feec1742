/** What stories need at once: flavors, an image with data, and a network of alice's. */
import { Readable } from 'node:stream'
import type { Answer, Person } from './cloud-people.ts'

export interface FirstThings {
  /** A public image of 1 KiB. */
  imageId: string
  /** Of project alpha, with the subnet 10.1.0.0/24. */
  networkId: string
  subnetId: string
}

/** `1` is small, `fail` makes every host fail to spawn, `giant` fits nowhere. */
const flavors = [
  { id: '1', name: 'm1.tiny', ram: 512, vcpus: 1, disk: 1 },
  { id: 'fail', name: 'fail-spawn', ram: 512, vcpus: 1, disk: 1 },
  { id: 'giant', name: 'giant', ram: 512, vcpus: 1, disk: 1_000_000 },
]

/** Makes them as an administrator and a user would. */
export async function makeFirstThings(admin: Person, alice: Person): Promise<FirstThings> {
  for (const flavor of flavors) ok(await admin.compute('POST', '/flavors', { flavor }))
  const formats = { disk_format: 'raw', container_format: 'bare' }
  const image = ok(await admin.image('POST', '/images', { name: 'tiny', visibility: 'public', ...formats }))
  const bytes = { 'content-type': 'application/octet-stream' }
  ok(await admin.image('PUT', `/images/${image.id}/file`, Readable.from([Buffer.alloc(1024)]), bytes))
  return { imageId: image.id, ...(await makeNetwork(alice, '10.1.0.0/24')) }
}

/** A network with one subnet, of the person's project. */
export async function makeNetwork(
  person: Person,
  cidr: string,
  more: Record<string, unknown> = {},
): Promise<{ networkId: string; subnetId: string }> {
  const { network } = ok(await person.network('POST', '/networks', { network: { name: 'private' } }))
  const wanted = { network_id: network.id, ip_version: 4, cidr, ...more }
  const { subnet } = ok(await person.network('POST', '/subnets', { subnet: wanted }))
  return { networkId: network.id, subnetId: subnet.id }
}

/** The body of an answer that must be a success. */
export function ok({ status, body }: Answer): Answer['body'] {
  if (status >= 300) throw new Error(`HTTP ${status} ${JSON.stringify(body)}`)
  return body
}
