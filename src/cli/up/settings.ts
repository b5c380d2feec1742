/** What a cloud was started with, kept in its state directory so that every later command agrees. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { homedir, hostname } from 'node:os'
import { join } from 'node:path'
import { Fault } from '../../base/errors.ts'
import { newHexId } from '../../base/ids.ts'

export interface CloudSettings {
  /**
   * Tells this cloud's devices and rules from another's on the same machine: `default` for the one in the default state
   * directory, whose names are neutron's own; 8 hex digits else.
   */
  id: string
  listen: string
  portOffset: number
  simulated: boolean
  hosts: number
  /** The compute host's name as the APIs show it; simulated hosts are numbered. */
  hostName: string
  providerCidr: string
  virtType: 'kvm' | 'qemu' | 'auto'
  /** A guest image given by the user; null: the small one is built. */
  imageFile: string | null
}

export interface CloudSecrets {
  adminPassword: string
  /** The service users' passwords by name. */
  servicePasswords: Record<string, string>
  metadataProxySecret: string
}

/** The ports of each API before the offset. */
export const standardPorts = {
  identity: 5000,
  identityAdmin: 35357,
  image: 9292,
  placement: 8778,
  compute: 8774,
  metadata: 8775,
  network: 9696,
} as const

export type ServiceName = keyof typeof standardPorts

export const portOf = (settings: CloudSettings, service: ServiceName): number =>
  standardPorts[service] + settings.portOffset

/** `http://127.0.0.1:5000`. An address of all interfaces is shown by its loopback. */
export function urlOf(settings: CloudSettings, service: ServiceName): string {
  const host = settings.listen === '0.0.0.0' || settings.listen === '::' ? '127.0.0.1' : settings.listen
  return `http://${host.includes(':') ? `[${host}]` : host}:${portOf(settings, service)}`
}

export function defaultStateDirectory(): string {
  return process.getuid?.() === 0 ? '/var/lib/kilonova' : join(homedir(), '.local/share/kilonova')
}

export const serviceUsers = ['nova', 'placement', 'neutron', 'glance'] as const

/** The files and folders of a state directory. */
export function layout(stateDir: string) {
  return {
    settings: join(stateDir, 'cloud.json'),
    secrets: join(stateDir, 'secrets.json'),
    log: join(stateDir, 'log/kilonova.log'),
    process: join(stateDir, 'run/kilonova.json'),
    openrc: join(stateDir, 'admin-openrc'),
    clouds: join(stateDir, 'clouds.yaml'),
    privateKey: join(stateDir, 'kilonova.pem'),
    database: (name: string) => `sqlite:///${join(stateDir, 'databases', `${name}.sqlite`)}`,
    keys: join(stateDir, 'identity-keys'),
    images: join(stateDir, 'images'),
    instances: join(stateDir, 'instances'),
    network: join(stateDir, 'network'),
    libvirt: join(stateDir, 'libvirt'),
    guestImage: join(stateDir, 'guest-image'),
  }
}

/** The settings of the cloud in a state directory; undefined when there is none. */
export function readSettings(stateDir: string): CloudSettings | undefined {
  return readJsonFile<CloudSettings>(layout(stateDir).settings)
}

export function readSecrets(stateDir: string): CloudSecrets {
  const secrets = readJsonFile<CloudSecrets>(layout(stateDir).secrets)
  if (secrets === undefined) throw noCloud(stateDir)
  return secrets
}

/** The settings of a cloud that must be there. */
export function requireSettings(stateDir: string): CloudSettings {
  const settings = readSettings(stateDir)
  if (settings === undefined) throw noCloud(stateDir)
  return settings
}

const noCloud = (stateDir: string) =>
  new Fault('not-found', `There is no cloud in ${stateDir}. Start one with: kilonova up`, { stateDir })

/** First start: settings and fresh secrets. */
export function writeNewCloud(stateDir: string, settings: CloudSettings): void {
  mkdirSync(join(stateDir, 'run'), { recursive: true, mode: 0o700 })
  const secrets: CloudSecrets = {
    adminPassword: newHexId(),
    servicePasswords: Object.fromEntries(serviceUsers.map((name) => [name, newHexId()])),
    metadataProxySecret: newHexId(),
  }
  writePrivateFile(layout(stateDir).secrets, JSON.stringify(secrets, null, 2))
  writePrivateFile(layout(stateDir).settings, JSON.stringify(settings, null, 2))
}

/** Replaces a file as a whole, readable by its owner only. */
export function writePrivateFile(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

function readJsonFile<T>(path: string): T | undefined {
  if (!existsSync(path)) return undefined
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T
  } catch (error) {
    throw new Fault(
      'invalid',
      `${path} is damaged; restore it, or start afresh with: kilonova down --purge`,
      { path },
      error,
    )
  }
}

/** The host's name without its domain, as nova takes it. */
export const shortHostName = (): string => hostname().split('.')[0] ?? 'localhost'
