/** A world with a flavor, an image and a network, in which servers can be asked for; nothing builds them. */

import type { Network, Port, SecurityGroup } from '#network/client.ts'
import { timestamp } from '../../../base/clock.ts'
import { Fault } from '../../../base/errors.ts'
import { newUuid } from '../../../base/ids.ts'
import type { ComputeApiConfig } from '../../config.ts'
import { deleteBuildRequest, findBuildRequest } from '../../store/build-requests.ts'
import { setInstanceCell } from '../../store/instance-mappings.ts'
import type { InstanceRow } from '../../store/instance-records.ts'
import { insertInstance } from '../../store/instances.ts'
import { makeWorld, recorder, type Sent, type TestWorld } from './world.ts'

export const imageId = '11111111-1111-4111-8111-111111111111'
export const networkId = '22222222-2222-4222-8222-222222222222'
export const portId = '33333333-3333-4333-8333-333333333333'

export interface TestCloud extends TestWorld {
  networks: Network[]
  ports: Port[]
  groups: SecurityGroup[]
  image: {
    status: string
    minDisk: number
    minRam: number
    size: number
    properties: Record<string, string>
  }
  /** Asks for a server as a member, and gives its id. */
  create(server?: object, options?: { version?: string; as?: string }): Promise<string>
  /** Puts a server that was asked for into cell1, as a conductor would. */
  settle(id: string, changes?: Partial<InstanceRow>): Promise<void>
}

const network: Network = {
  id: networkId,
  name: 'private',
  projectId: 'p1',
  adminStateUp: true,
  status: 'ACTIVE',
  shared: false,
  external: false,
  mtu: 1500,
  portSecurityEnabled: true,
  subnetIds: ['s1'],
  dnsDomain: '',
  physicalNetwork: null,
  networkType: null,
  segmentationId: null,
}

export const newPort = (changes: Partial<Port> = {}): Port => ({
  id: portId,
  name: '',
  projectId: 'p1',
  networkId,
  macAddress: 'fa:16:3e:00:00:01',
  status: 'ACTIVE',
  adminStateUp: true,
  deviceId: '',
  deviceOwner: '',
  fixedIps: [{ subnetId: 's1', ipAddress: '10.0.0.5' }],
  securityGroupIds: [],
  portSecurityEnabled: true,
  dnsName: '',
  host: '',
  vnicType: 'normal',
  vifType: null,
  vifDetails: {},
  profile: {},
  ...changes,
})

export const newGroup = (id: string, name: string): SecurityGroup => ({
  id,
  name,
  description: '',
  projectId: 'p1',
  stateful: true,
  rules: [],
})

export async function makeCloud(settings: Partial<ComputeApiConfig> = {}): Promise<TestCloud> {
  const networks = [network]
  const ports: Port[] = []
  const groups: SecurityGroup[] = []
  const image: TestCloud['image'] = {
    status: 'active',
    minDisk: 1,
    minRam: 0,
    size: 1000,
    properties: { distro: 'x' },
  }
  const sent: Sent[] = []
  const among = (ids: readonly string[] | undefined) => (one: { id: string }) =>
    ids === undefined || ids.includes(one.id)
  const showImage = (id: string) => {
    if (id !== imageId) throw new Fault('not-found', 'no image')
    return {
      id,
      name: 'cirros',
      diskFormat: 'qcow2',
      containerFormat: 'bare',
      createdAt: '2026-01-01T00:00:00Z',
      updatedAt: '2026-01-01T00:00:00Z',
      ...image,
    }
  }
  const world = await makeWorld({
    settings,
    networkFor: () =>
      recorder(sent, 'network', {
        listAvailableNetworks: () => networks,
        listNetworks: ({ ids }: { ids?: string[] } = {}) => networks.filter(among(ids)),
        listUsableNetworks: (ids: string[]) => networks.filter(among(ids)),
        listPorts: ({ ids }: { ids?: string[] }) => ports.filter(among(ids)),
        listPortsByDevice: ([id]: string[]) => ports.filter((port) => port.deviceId === id),
        listSecurityGroups: ({ ids }: { ids?: string[] }) => groups.filter(among(ids)),
        securityGroupsByDevice: (ids: string[]) => new Map(ids.map((id) => [id, [{ name: 'default' }]])),
        showQuota: () => ({ port: { limit: 100, used: 0, reserved: 0 } }),
      }),
    imagesFor: () =>
      recorder(sent, 'image', {
        list: () => [showImage(imageId)],
        show: showImage,
        setProperties: ({ properties }: { properties: Record<string, string> }) => {
          image.properties = properties
        },
      }),
  })
  const flavor = { name: 'm1', id: 'm1', ram: 512, vcpus: 1, disk: 1 }
  await world.call('POST /flavors', { as: 'admin', body: { flavor } })
  return {
    ...world,
    networks,
    ports,
    groups,
    image,
    async create(server = {}, { version, as = 'member' } = {}) {
      const body = { server: { name: 'vm', flavorRef: 'm1', imageRef: imageId, ...server } }
      const reply = await world.call('POST /servers', { as, version, body })
      if (reply.status !== 202) throw new Error(`${reply.status} ${JSON.stringify(reply.body)}`)
      return reply.body.server.id
    },
    async settle(id, changes = {}) {
      const made = await findBuildRequest(world.deps.apiDb, id)
      await insertInstance(world.cell1.db, made!, {
        vm_state: 'active',
        task_state: null,
        power_state: 1,
        host: 'h1',
        node: 'h1',
        launched_at: timestamp(),
        updated_at: timestamp(),
        ...changes,
      })
      await setInstanceCell(world.deps.apiDb, id, world.cell1.id)
      await deleteBuildRequest(world.deps.apiDb, id)
    },
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  }
}

export const unknownId = newUuid()
