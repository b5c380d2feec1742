/** OpenStack's own tree: JSON documents by date. */
import { randomBytes } from 'node:crypto'
import { fullHostname, type InstanceFacts } from './facts.ts'
import { networkData } from './network-data.ts'

export const openstackVersions = [
  '2012-08-10',
  '2013-04-04',
  '2013-10-17',
  '2015-10-15',
  '2016-06-30',
  '2016-10-06',
  '2017-02-22',
  '2018-08-27',
  '2020-10-14',
  '2025-04-04',
] as const

type Version = (typeof openstackVersions)[number]

export interface Document {
  type: 'text/plain' | 'application/json'
  content: string | Buffer
}

interface Entry {
  since: Version
  /** Undefined: this server has no such document. */
  make(facts: InstanceFacts, version: Version): Document | undefined
  /** Left out of config drives. */
  servedOnly?: boolean
}

const json = (value: unknown): Document => ({ type: 'application/json', content: JSON.stringify(value) })

/** Listed in the order in which nova lists them. */
const entries: Readonly<Record<string, Entry>> = {
  'meta_data.json': { since: '2012-08-10', make: (facts, version) => json(metaData(facts, version)) },
  user_data: {
    since: '2012-08-10',
    make: ({ userData }) =>
      userData === null ? undefined : { type: 'text/plain', content: Buffer.from(userData, 'base64') },
  },
  password: {
    since: '2013-04-04',
    servedOnly: true,
    make: (facts) => ({ type: 'text/plain', content: facts.postedPassword }),
  },
  'vendor_data.json': { since: '2013-10-17', make: () => json({}) },
  'network_data.json': { since: '2015-10-15', make: (facts) => json(networkData(facts.interfaces)) },
  'vendor_data2.json': { since: '2016-10-06', make: () => json({ static: {} }) },
}

/** The date that a path names; undefined for one that never was. */
export function versionOf(asked: string): Version | undefined {
  return asked === 'latest'
    ? openstackVersions.at(-1)
    : openstackVersions.find((version) => version === asked)
}

/** The names below a version. */
export function documentNames(facts: InstanceFacts, version: Version): string[] {
  return Object.keys(entries).filter((name) => documentAt(facts, version, name) !== undefined)
}

/** A document; undefined when this version or this server has none of that name. */
export function documentAt(facts: InstanceFacts, version: Version, name: string): Document | undefined {
  const entry = entries[name]
  return entry === undefined || entry.since > version ? undefined : entry.make(facts, version)
}

export const isOnConfigDrive = (name: string): boolean => entries[name]?.servedOnly !== true

function metaData(facts: InstanceFacts, version: Version): Record<string, unknown> {
  const data: Record<string, unknown> = { uuid: facts.uuid }
  if (Object.keys(facts.meta).length > 0) data['meta'] = facts.meta
  if (facts.adminPassword !== undefined) data['admin_pass'] = facts.adminPassword
  if (facts.keypair !== null) {
    const { name, type, publicKey } = facts.keypair
    data['public_keys'] = { [name]: publicKey }
    data['keys'] = [{ name, type, data: publicKey }]
  }
  data['hostname'] = fullHostname(facts)
  data['name'] = facts.displayName
  data['launch_index'] = facts.launchIndex
  data['availability_zone'] = facts.availabilityZone
  if (version >= '2013-04-04') data['random_seed'] = randomBytes(512).toString('base64')
  if (version >= '2015-10-15') data['project_id'] = facts.projectId
  if (version >= '2016-06-30') data['devices'] = []
  if (version >= '2020-10-14') data['dedicated_cpus'] = []
  return data
}
