/**
 * A hypervisor that only pretends: for tests, for learning, and to see how a cloud of a thousand hosts behaves.
 *
 * A server, flavor or image whose name (or an image property's value) holds one of these words makes it misbehave:
 * `fail-spawn`, `slow-spawn`, `fail-destroy`, `fail-power`, `shuts-down` (powers itself off once it runs).
 */
import { sleep } from '../../../base/clock.ts'
import { Fault } from '../../../base/errors.ts'
import type {
  Driver,
  GuestSpec,
  GuestState,
  HostInventory,
  ImageSource,
  LifecycleEvent,
  PowerState,
} from '../driver.ts'
import { GuestJournal } from './guest-journal.ts'

export interface FakeDriverOptions {
  host: string
  vcpus?: number
  memoryMb?: number
  localGb?: number
  /** Guests are kept in a file there, and live on when the program is killed; without it they do not. */
  directory?: string
  /** The simulated network of the host: guests' taps come and go with them. */
  taps?: { plugTap(name: string, bridge: string): void; unplugTap(name: string): void }
}

interface FakeGuest extends GuestState {
  words: string
  taps: { name: string; bridge: string }[]
}

const slowMilliseconds = 2000

export class FakeDriver implements Driver {
  readonly #options: FakeDriverOptions
  readonly #guests = new Map<string, FakeGuest>()
  #journal: GuestJournal<FakeGuest> | undefined
  #onEvent: (event: LifecycleEvent) => void = () => undefined

  constructor(options: FakeDriverOptions) {
    this.#options = options
  }

  async start(onEvent: (event: LifecycleEvent) => void): Promise<void> {
    this.#onEvent = onEvent
    this.restore()
  }

  /** The guests of before are there again, with their devices: on a host they are before any program is. */
  restore(): void {
    const { directory } = this.#options
    if (directory === undefined || this.#journal !== undefined) return
    this.#journal = new GuestJournal(directory)
    for (const guest of this.#journal.guests()) {
      this.#guests.set(guest.uuid, guest)
      this.#plug(guest)
    }
  }

  /** Set it to what would keep guests of a real host from running. */
  unfit: string | undefined

  async inventory(): Promise<HostInventory> {
    const { host, vcpus = 64, memoryMb = 262_144, localGb = 4096 } = this.#options
    return {
      hypervisorType: 'fake',
      hypervisorVersion: 1_000_000,
      hypervisorHostname: host,
      cpuInfo: '{"arch": "x86_64", "model": "Simulated", "vendor": "none", "features": [], "topology": {}}',
      vcpus,
      memoryMb,
      localGb,
      traits: ['COMPUTE_NODE', 'HW_CPU_X86_VMX'],
      ...(this.unfit === undefined ? {} : { unfit: this.unfit }),
    }
  }

  async listGuests(): Promise<GuestState[]> {
    return [...this.#guests.values()].map(stateOf)
  }

  async listRemnants(): Promise<string[]> {
    return []
  }

  async guestState(uuid: string): Promise<GuestState | undefined> {
    const guest = this.#guests.get(uuid)
    return guest === undefined ? undefined : stateOf(guest)
  }

  async spawn(spec: GuestSpec, _images: ImageSource, options: { paused: boolean }): Promise<void> {
    const words = [spec.displayName, spec.flavorName, ...Object.values(spec.image?.properties ?? {})].join(
      ' ',
    )
    if (words.includes('slow-spawn')) await sleep(slowMilliseconds)
    if (words.includes('fail-spawn')) {
      throw new Fault('unavailable', `The simulated hypervisor of ${this.#options.host} was told to fail.`)
    }
    const taps = spec.vifs
      .filter((vif) => vif.type === 'bridge')
      .map((vif) => ({ name: vif.devName, bridge: vif.bridgeName }))
    const power = options.paused ? 'paused' : 'running'
    this.#keep({ uuid: spec.uuid, name: spec.name, power, words, taps })
    if (!options.paused) this.#begin(spec.uuid)
  }

  async resume(uuid: string): Promise<void> {
    this.#change(uuid, 'running')
    this.#begin(uuid)
  }

  async destroy(uuid: string): Promise<void> {
    const guest = this.#guests.get(uuid)
    if (guest === undefined) return
    if (guest.words.includes('fail-destroy')) {
      throw new Fault('unavailable', `The simulated hypervisor of ${this.#options.host} was told to fail.`)
    }
    this.#guests.delete(uuid)
    this.#plug({ ...guest, power: 'shutdown' })
    this.#journal?.forget(uuid)
  }

  async powerOn(spec: GuestSpec): Promise<void> {
    this.#power(spec.uuid, 'running')
  }

  async powerOff(uuid: string): Promise<void> {
    this.#power(uuid, 'shutdown')
  }

  async reboot(spec: GuestSpec): Promise<void> {
    this.#power(spec.uuid, 'running')
  }

  async pause(uuid: string): Promise<void> {
    this.#power(uuid, 'paused')
  }

  async unpause(uuid: string): Promise<void> {
    this.#power(uuid, 'running')
  }

  async suspend(uuid: string): Promise<void> {
    this.#power(uuid, 'suspended')
  }

  async resumeSuspended(spec: GuestSpec): Promise<void> {
    this.#power(spec.uuid, 'running')
  }

  async consoleOutput(uuid: string): Promise<string> {
    const { name } = this.#get(uuid)
    // Long enough that asking for its end makes a difference.
    const lines = Array.from({ length: 10 }, (_, index) => `${name}: simulated line ${index + 1}`)
    return ['FAKE CONSOLE OUTPUT', ...lines, 'LAST LINE'].join('\n')
  }

  /** Changes a guest as if from within or by an operator on the host. */
  changeByItself(uuid: string, power: PowerState): void {
    this.#change(uuid, power)
    this.#onEvent({ uuid, power })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#onEvent = () => undefined
    this.#journal?.[Symbol.dispose]()
    this.#journal = undefined
  }

  #begin(uuid: string): void {
    if (!this.#get(uuid).words.includes('shuts-down')) return
    setTimeout(() => {
      if (this.#guests.has(uuid)) this.changeByItself(uuid, 'shutdown')
    }, slowMilliseconds).unref()
  }

  #power(uuid: string, power: PowerState): void {
    const guest = this.#get(uuid)
    if (guest.words.includes('fail-power')) {
      throw new Fault('unavailable', `The simulated hypervisor of ${this.#options.host} was told to fail.`)
    }
    this.#keep({ ...guest, power })
  }

  #change(uuid: string, power: PowerState): void {
    this.#keep({ ...this.#get(uuid), power })
  }

  #get(uuid: string): FakeGuest {
    const guest = this.#guests.get(uuid)
    if (guest === undefined) throw new Fault('not-found', `${this.#options.host} has no guest ${uuid}.`)
    return guest
  }

  #keep(guest: FakeGuest): void {
    this.#guests.set(guest.uuid, guest)
    this.#journal?.keep(guest)
    this.#plug(guest)
  }

  /** A guest's taps are there while it is on. */
  #plug({ power, taps }: FakeGuest): void {
    const on = power === 'running' || power === 'paused'
    for (const tap of taps) {
      if (on) this.#options.taps?.plugTap(tap.name, tap.bridge)
      else this.#options.taps?.unplugTap(tap.name)
    }
  }
}

const stateOf = ({ uuid, name, power }: FakeGuest): GuestState => ({ uuid, name, power })
