/** What a user needs at once: flavors, an image, the provider network, rules for ssh and ping, a key pair. */
import { generateKeyPairSync } from 'node:crypto'
import { getServers } from 'node:dns'
import { closeSync, createReadStream, existsSync, openSync, readSync, statSync } from 'node:fs'
import { isIPv4 } from 'node:net'
import { basename } from 'node:path'
import { Readable } from 'node:stream'
import { Fault, isFault } from '../../base/errors.ts'
import type { Send } from '../../base/http/client.ts'
import type { AdminClient } from '../admin-client.ts'
import { layout, writePrivateFile } from './settings.ts'

interface FlavorSize {
  name: string
  ram: number
  vcpus: number
  disk: number
}

/** devstack's sizes; `m1.nano` fits the small guest image. */
const flavors: readonly FlavorSize[] = [
  { name: 'm1.nano', ram: 192, vcpus: 1, disk: 1 },
  { name: 'm1.tiny', ram: 512, vcpus: 1, disk: 1 },
  { name: 'm1.small', ram: 2048, vcpus: 1, disk: 20 },
  { name: 'm1.medium', ram: 4096, vcpus: 2, disk: 40 },
  { name: 'm1.large', ram: 8192, vcpus: 4, disk: 80 },
]

export interface GuestImage {
  name: string
  /** The file to upload, or its bytes. */
  file: string | Buffer
  diskFormat: 'qcow2' | 'raw'
  properties: Readonly<Record<string, string>>
}

interface FirstStartOptions {
  stateDir: string
  admin: AdminClient
  providerCidr: string
  /** Makes the image when the cloud has none yet. */
  guestImage: () => Promise<GuestImage>
  upload: (imageId: string, image: GuestImage) => Promise<void>
  onProgress: (text: string) => void
}

/** Makes what is missing of it; everything is looked up by name first, so it may be cut short and run again. */
export async function firstStart(options: FirstStartOptions): Promise<void> {
  const { admin, onProgress } = options
  onProgress('creating flavors')
  await createFlavors(admin)
  await createImage(options)
  onProgress('creating the provider network')
  await createProviderNetwork(admin, options.providerCidr)
  onProgress('creating the key pair and rules for ssh and ping')
  await createKeyPair(options.stateDir, admin)
  await allowSshAndPing(admin)
}

async function createFlavors(admin: AdminClient): Promise<void> {
  const known = await admin.call<{ flavors: { name: string }[] }>('compute', 'GET', '/v2.1/flavors')
  for (const [index, size] of flavors.entries()) {
    if (known.flavors.some((flavor) => flavor.name === size.name)) continue
    await admin.call('compute', 'POST', '/v2.1/flavors', { flavor: { ...size, id: String(index + 1) } })
  }
}

async function createImage(options: FirstStartOptions): Promise<void> {
  const { admin, onProgress } = options
  type Listed = { images: { id: string; status: string }[] }
  const { images } = await admin.call<Listed>('image', 'GET', '/v2/images')
  if (images.some((image) => image.status === 'active')) return
  // A start that was cut short leaves an image without bytes.
  for (const image of images) await admin.call('image', 'DELETE', `/v2/images/${image.id}`)
  const image = await options.guestImage()
  onProgress(`uploading the image ${image.name}`)
  const { id } = await admin.call<{ id: string }>('image', 'POST', '/v2/images', {
    name: image.name,
    disk_format: image.diskFormat,
    container_format: 'bare',
    visibility: 'public',
    ...image.properties,
  })
  await options.upload(id, image)
}

/** Uploads through any way to the Image API. */
export function uploadBy(send: Send, token: () => Promise<string>) {
  return async (imageId: string, image: GuestImage): Promise<void> => {
    const reply = await send({
      method: 'PUT',
      path: `/v2/images/${imageId}/file`,
      headers: { 'x-auth-token': await token(), 'content-type': 'application/octet-stream' },
      body: typeof image.file === 'string' ? createReadStream(image.file) : Readable.from([image.file]),
    })
    if (reply.status >= 400) {
      throw new Fault(
        'unavailable',
        `The image ${image.name} could not be uploaded: ${JSON.stringify(reply.body)}`,
      )
    }
  }
}

/** An image file that the user gave; its first bytes tell qcow2 from raw. */
export function userImage(file: string): GuestImage {
  if (!existsSync(file) || statSync(file).size === 0) {
    throw new Fault('not-found', `The image file ${file} is not there, or is empty.`)
  }
  const magic = Buffer.alloc(4)
  const descriptor = openSync(file, 'r')
  readSync(descriptor, magic)
  closeSync(descriptor)
  const name = basename(file).replace(/\.(qcow2|img|raw)$/, '')
  return {
    name,
    file,
    diskFormat: magic.equals(Buffer.from('QFI\xfb', 'latin1')) ? 'qcow2' : 'raw',
    properties: {},
  }
}

async function createProviderNetwork(admin: AdminClient, cidr: string): Promise<void> {
  type Networks = { networks: { id: string; subnets: string[] }[] }
  const found = await admin.call<Networks>('network', 'GET', '/v2.0/networks?name=provider')
  let network = found.networks[0]
  if (network === undefined) {
    const body = {
      name: 'provider',
      shared: true,
      'router:external': true,
      'provider:network_type': 'flat',
      'provider:physical_network': 'provider',
    }
    const created = await admin.call<{ network: { id: string; subnets: string[] } }>(
      'network',
      'POST',
      '/v2.0/networks',
      {
        network: body,
      },
    )
    network = created.network
  }
  if (network.subnets.length > 0) return
  // A resolver on the loopback of the host is of no use to a guest.
  const resolvers = getServers().filter((address) => isIPv4(address) && !address.startsWith('127.'))
  await admin.call('network', 'POST', '/v2.0/subnets', {
    subnet: {
      name: 'provider',
      network_id: network.id,
      ip_version: 4,
      cidr,
      dns_nameservers: resolvers.slice(0, 2),
    },
  })
}

async function createKeyPair(stateDir: string, admin: AdminClient): Promise<void> {
  const file = layout(stateDir).privateKey
  type Listed = { keypairs: { keypair: { name: string } }[] }
  const { keypairs } = await admin.call<Listed>('compute', 'GET', '/v2.1/os-keypairs')
  const known = keypairs.some((one) => one.keypair.name === 'kilonova')
  if (known && existsSync(file)) return
  if (known) await admin.call('compute', 'DELETE', '/v2.1/os-keypairs/kilonova')
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  writePrivateFile(file, privateKey.export({ type: 'pkcs1', format: 'pem' }).toString())
  const { n, e } = publicKey.export({ format: 'jwk' })
  const ssh = `ssh-rsa ${sshRsaBlob(n ?? '', e ?? '').toString('base64')} kilonova`
  await admin.call('compute', 'POST', '/v2.1/os-keypairs', {
    keypair: { name: 'kilonova', type: 'ssh', public_key: ssh },
  })
}

// RFC 4253, section 6.6: the algorithm's name, then e and n as mpints.
function sshRsaBlob(n: string, e: string): Buffer {
  const integer = (base64url: string) => {
    const bytes = Buffer.from(base64url, 'base64url')
    return (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes
  }
  const parts = [Buffer.from('ssh-rsa'), integer(e), integer(n)]
  return Buffer.concat(
    parts.flatMap((part) => {
      const length = Buffer.alloc(4)
      length.writeUInt32BE(part.length)
      return [length, part]
    }),
  )
}

async function allowSshAndPing(admin: AdminClient): Promise<void> {
  type Groups = { security_groups: { id: string; name: string }[] }
  const path = `/v2.0/security-groups?project_id=${admin.projectId}&name=default`
  const { security_groups } = await admin.call<Groups>('network', 'GET', path)
  const group = security_groups[0]
  if (group === undefined) throw new Fault('not-found', 'The admin project has no default security group.')
  const common = { security_group_id: group.id, direction: 'ingress', ethertype: 'IPv4' }
  for (const rule of [
    { ...common, protocol: 'icmp' },
    { ...common, protocol: 'tcp', port_range_min: 22, port_range_max: 22 },
  ]) {
    await admin
      .call('network', 'POST', '/v2.0/security-group-rules', { security_group_rule: rule })
      .catch((error: unknown) => {
        // The rule is there from an earlier start.
        if (!isFault(error, 'conflict')) throw error
      })
  }
}
