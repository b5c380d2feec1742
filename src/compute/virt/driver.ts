/** What the compute agent asks of a hypervisor. Drivers know no service: everything they need is in the arguments. */

export type PowerState = 'nostate' | 'running' | 'paused' | 'shutdown' | 'crashed' | 'suspended'

/** OpenStack's numbers for power states, as `OS-EXT-STS:power_state` shows them. */
export const powerStateNumber: Record<PowerState, number> = {
  nostate: 0,
  running: 1,
  paused: 3,
  shutdown: 4,
  crashed: 6,
  suspended: 7,
}

/** One network interface, from the port's binding. */
export interface Vif {
  portId: string
  networkId: string
  macAddress: string
  mtu: number
  /** `bridge` plugs `devName` into `bridgeName`; the L2 agent creates the bridge. */
  type: 'bridge' | 'unbound'
  /** `brq` + the first 11 characters of the network id. */
  bridgeName: string
  /** `tap` + the first 11 characters of the port id. */
  devName: string
}

/** A guest as the driver must build it. */
export interface GuestSpec {
  uuid: string
  /** `instance-00000001`: the domain's name. */
  name: string
  displayName: string
  projectId: string
  userId: string
  vcpus: number
  memoryMb: number
  rootGb: number
  ephemeralGb: number
  swapMb: number
  flavorName: string
  extraSpecs: Record<string, string>
  image: { id: string; diskFormat: string; properties: Record<string, string> } | null
  vifs: readonly Vif[]
  /**
   * The files of the server's config drive by path (`openstack/latest/meta_data.json`), their bytes in base64; null:
   * it has none.
   */
  configDrive: Readonly<Record<string, string>> | null
}

/** Reads an image of the Image service as a local file: fetched once, its hash verified, kept under `_base`. */
export interface ImageSource {
  /** Writes the image's bytes to `path` (which does not exist) and verifies them; rejects with the reason else. */
  download(imageId: string, path: string): Promise<void>
}

export interface HostInventory {
  hypervisorType: string
  hypervisorVersion: number
  hypervisorHostname: string
  cpuInfo: string
  vcpus: number
  memoryMb: number
  localGb: number
  /** Placement traits such as `HW_CPU_X86_AVX2`. */
  traits: readonly string[]
  /** Why no guest can run on the host as it is set up; absent when they can. */
  unfit?: string
}

export interface GuestState {
  uuid: string
  name: string
  power: PowerState
}

/** Emitted by the hypervisor itself, for instance when a guest powers itself off. */
export interface LifecycleEvent {
  uuid: string
  power: PowerState
}

export interface Driver extends AsyncDisposable {
  /** Connects, waits for the hypervisor when it is away, and watches it. */
  start(onEvent: (event: LifecycleEvent) => void): Promise<void>
  inventory(): Promise<HostInventory>
  /** Every guest on the host that belongs to this compute service. */
  listGuests(): Promise<GuestState[]>
  /** Uuids of which the host has files and the hypervisor no guest: something ended half-way, or is under way. */
  listRemnants(): Promise<string[]>
  guestState(uuid: string): Promise<GuestState | undefined>

  /**
   * Makes disks and defines the guest, paused when `paused`. Idempotent by uuid: leftovers of an earlier try are
   * replaced. On failure it leaves nothing behind.
   */
  spawn(spec: GuestSpec, images: ImageSource, options: { paused: boolean }): Promise<void>
  /** Lets a guest that `spawn` left paused run. */
  resume(uuid: string): Promise<void>
  /** Stops and removes the guest with its disks. A guest that is not there is no error. */
  destroy(uuid: string): Promise<void>
  powerOn(spec: GuestSpec): Promise<void>
  /** ACPI shutdown, then force after `timeoutSeconds` (0: force at once). */
  powerOff(uuid: string, options: { timeoutSeconds: number }): Promise<void>
  /** Soft: ask the guest and fall back to hard after `timeoutSeconds`; hard: rebuild the domain from `spec`. */
  reboot(spec: GuestSpec, options: { hard: boolean; timeoutSeconds: number }): Promise<void>
  pause(uuid: string): Promise<void>
  unpause(uuid: string): Promise<void>
  suspend(uuid: string): Promise<void>
  resumeSuspended(spec: GuestSpec): Promise<void>
  /** The end of the serial console's log. */
  consoleOutput(uuid: string): Promise<string>
}
