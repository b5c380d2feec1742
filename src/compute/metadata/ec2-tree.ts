/** Amazon's tree, as nova serves it: a tree of text whose listings name folders with a slash. */
import { createHash } from 'node:crypto'
import { fullHostname, type InstanceFacts } from './facts.ts'

export const ec2Versions = [
  '1.0',
  '2007-01-19',
  '2007-03-01',
  '2007-08-29',
  '2007-10-10',
  '2007-12-15',
  '2008-02-01',
  '2008-09-01',
  '2009-04-04',
] as const

export interface Tree {
  [name: string]: Tree | string | readonly string[]
}

/** The tree of a version; undefined for one that never was. */
export function ec2Tree(facts: InstanceFacts, asked: string): Tree | undefined {
  const version = asked === 'latest' ? ec2Versions.at(-1)! : asked
  const at = ec2Versions.indexOf(version as (typeof ec2Versions)[number])
  if (at < 0) return undefined
  const since = (first: (typeof ec2Versions)[number]) => at >= ec2Versions.indexOf(first)
  const metaData: Tree = {
    'ami-id': amiId(facts.imageId),
    'ami-launch-index': String(facts.launchIndex),
    'ami-manifest-path': 'FIXME',
    'instance-id': `i-${facts.number.toString(16).padStart(8, '0')}`,
    hostname: fullHostname(facts),
    'local-ipv4': firstIpv4(facts),
    'reservation-id': facts.reservationId,
    'security-groups': [...facts.securityGroups],
  }
  if (facts.keypair !== null) {
    metaData['public-keys'] = { [`0=${facts.keypair.name}`]: { 'openssh-key': facts.keypair.publicKey } }
  }
  if (since('2007-01-19')) {
    metaData['local-hostname'] = fullHostname(facts)
    metaData['public-hostname'] = fullHostname(facts)
    metaData['public-ipv4'] = ''
  }
  if (since('2007-08-29')) metaData['instance-type'] = facts.flavorName
  if (since('2007-12-15')) metaData['block-device-mapping'] = { ami: 'vda', root: '/dev/vda' }
  if (since('2008-02-01')) metaData['placement'] = { 'availability-zone': facts.availabilityZone }
  if (since('2008-09-01')) metaData['instance-action'] = 'none'
  const tree: Tree = { 'meta-data': metaData }
  if (facts.userData !== null) tree['user-data'] = Buffer.from(facts.userData, 'base64').toString('latin1')
  return tree
}

/** What is at a path below a version; undefined when nothing is. */
export function lookUp(tree: Tree, path: readonly string[]): Tree | string | readonly string[] | undefined {
  let at: Tree | string | readonly string[] | undefined = tree
  for (const name of path) {
    if (at === undefined || typeof at === 'string' || Array.isArray(at)) return undefined
    // A key is listed as `0=name` and read as `0`.
    const folder = at as Tree
    at = folder[name] ?? folder[Object.keys(folder).find((key) => key.startsWith(`${name}=`)) ?? '']
  }
  return at
}

/** A listing or a leaf as the text that is served. */
export function printed(node: Tree | string | readonly string[]): string {
  if (typeof node === 'string') return node
  if (Array.isArray(node)) return node.join('\n')
  const tree = node as Tree
  return Object.keys(tree)
    .sort()
    .map((name) => {
      const isFolder = typeof tree[name] === 'object' && !Array.isArray(tree[name])
      return isFolder && !name.includes('=') ? `${name}/` : name
    })
    .join('\n')
}

function firstIpv4(facts: InstanceFacts): string {
  const addresses = facts.interfaces.flatMap((one) => one.port.fixedIps.map((ip) => ip.ipAddress))
  return addresses.find((address) => !address.includes(':')) ?? ''
}

// EC2 ids have eight digits; the image's uuid gives the same ones every time.
function amiId(imageId: string): string {
  if (imageId === '') return 'None'
  return `ami-${createHash('sha256').update(imageId).digest('hex').slice(0, 8)}`
}
