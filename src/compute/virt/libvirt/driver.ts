/** The `libvirt` driver: real guests, through a libvirtd on this host. */
import { readdir } from 'node:fs/promises'
import { describeError, isFault, notFound } from '../../../base/errors.ts'
import { isUuid } from '../../../base/ids.ts'
import type { Driver, GuestSpec, GuestState, HostInventory, ImageSource, LifecycleEvent } from '../driver.ts'
import { BaseCache } from './base-cache.ts'
import { readConsoleLog } from './console-log.ts'
import { assertDisks, createDisks, guestDisks, removeDisks } from './disks.ts'
import { chooseDomainOptions, unfitFor } from './domain-options.ts'
import { type DomainOptions, domainXml } from './domain-xml.ts'
import { Domains } from './domains.ts'
import type { LibvirtDriverOptions } from './driver-options.ts'
import { instanceFiles, isThere } from './instance-files.ts'
import { readInventory } from './inventory.ts'
import { powerOfEvent } from './power.ts'
import { PowerWatch } from './power-watch.ts'
import { LibvirtClient } from './rpc/client.ts'
import { domainEvent } from './rpc/constants.ts'
import type { LifecycleMessage } from './rpc/procedures.ts'
import { ensureBridges } from './vifs.ts'

/** How often the power button is pressed again: a guest that is still starting does not feel it. */
const pressAgainSeconds = 5

/** A driver that connects when it is started. */
export const createLibvirtDriver = (options: LibvirtDriverOptions): Driver => new LibvirtDriver(options)

class LibvirtDriver implements Driver {
  readonly #options: LibvirtDriverOptions
  readonly #client: LibvirtClient
  readonly #domains: Domains
  readonly #cache: BaseCache
  readonly #watch = new PowerWatch()
  #onEvent: (event: LifecycleEvent) => void = () => undefined
  #telling: Promise<void> = Promise.resolve()
  #domainOptions: DomainOptions | undefined

  constructor(options: LibvirtDriverOptions) {
    this.#options = options
    this.#client = new LibvirtClient({
      socketPath: options.socketPath,
      log: options.log,
      onLifecycle: (message) => this.#hear(message),
      onReconnect: () => void this.#catchUp(),
    })
    this.#domains = new Domains(this.#client)
    this.#cache = new BaseCache(options.instancesPath, options.run)
  }

  async start(onEvent: (event: LifecycleEvent) => void): Promise<void> {
    this.#onEvent = onEvent
    const unfit = await unfitFor(this.#options.virtType)
    if (unfit !== undefined) this.#options.log.error(`no guest can run on this host: ${unfit}`)
    await this.#client.start()
    for (const guest of await this.listGuests()) this.#watch.note(guest)
  }

  async inventory(): Promise<HostInventory> {
    const unfit = await unfitFor(this.#options.virtType)
    const inventory = await readInventory(this.#client, this.#options.instancesPath)
    return unfit === undefined ? inventory : { ...inventory, unfit }
  }

  async listGuests(): Promise<GuestState[]> {
    const [domains, ours] = await Promise.all([this.#domains.list(), this.#directories()])
    return domains.filter(({ uuid }) => ours.has(uuid))
  }

  async listRemnants(): Promise<string[]> {
    // First: what is built meanwhile has a directory before it has a domain.
    const directories = await this.#directories()
    const known = new Set((await this.#domains.list()).map(({ uuid }) => uuid))
    return [...directories].filter((name) => isUuid(name) && !known.has(name))
  }

  guestState(uuid: string): Promise<GuestState | undefined> {
    return this.#domains.find(uuid)
  }

  async spawn(spec: GuestSpec, images: ImageSource, options: { paused: boolean }): Promise<void> {
    const files = this.#files(spec.uuid)
    await this.destroy(spec.uuid)
    await using undo = new AsyncDisposableStack()
    undo.defer(() => this.destroy(spec.uuid))
    const outcomes = await Promise.allSettled([
      createDisks({ cache: this.#cache, run: this.#options.run }, spec, files, images),
      ensureBridges(spec.vifs, this.#options.run, this.#options.cloudId ?? 'default'),
    ])
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
    await this.#define(spec)
    await this.#domains.create(spec.uuid, options)
    undo.move()
  }

  resume(uuid: string): Promise<void> {
    return this.#domains.resume(uuid)
  }

  async destroy(uuid: string): Promise<void> {
    await this.#domains.destroy(uuid)
    await this.#domains.undefine(uuid)
    await removeDisks(this.#files(uuid))
    this.#watch.forget(uuid)
  }

  async powerOn(spec: GuestSpec): Promise<void> {
    if ((await this.#domains.find(spec.uuid))?.power !== 'running') await this.#restart(spec)
  }

  async powerOff(uuid: string, { timeoutSeconds }: { timeoutSeconds: number }): Promise<void> {
    if (await this.#shutDown(uuid, timeoutSeconds)) return
    await this.#domains.destroy(uuid)
  }

  async reboot(spec: GuestSpec, options: { hard: boolean; timeoutSeconds: number }): Promise<void> {
    if (!options.hard && (await this.#shutDown(spec.uuid, options.timeoutSeconds))) {
      await ensureBridges(spec.vifs, this.#options.run, this.#options.cloudId ?? 'default')
      await this.#domains.create(spec.uuid, { paused: false })
    } else await this.#restart(spec)
  }

  async pause(uuid: string): Promise<void> {
    await this.#domains.suspend(uuid)
  }

  async unpause(uuid: string): Promise<void> {
    await this.#domains.resume(uuid)
  }

  async suspend(uuid: string): Promise<void> {
    await this.#domains.managedSave(uuid)
  }

  async resumeSuspended(spec: GuestSpec): Promise<void> {
    await ensureBridges(spec.vifs, this.#options.run, this.#options.cloudId ?? 'default')
    await this.#domains.create(spec.uuid, { paused: false })
  }

  consoleOutput(uuid: string): Promise<string> {
    return readConsoleLog(this.#files(uuid).consoleLog, this.#options.run)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#client[Symbol.asyncDispose]()
  }

  /** From the disks that are there: a new definition, so that changes of the spec and of this program take effect. */
  async #restart(spec: GuestSpec): Promise<void> {
    await assertDisks(spec, this.#files(spec.uuid))
    await this.#domains.destroy(spec.uuid)
    await this.#domains.undefine(spec.uuid)
    await ensureBridges(spec.vifs, this.#options.run, this.#options.cloudId ?? 'default')
    await this.#define(spec)
    await this.#domains.create(spec.uuid, { paused: false })
  }

  async #define(spec: GuestSpec): Promise<void> {
    const files = this.#files(spec.uuid)
    this.#domainOptions ??= await chooseDomainOptions(this.#options, this.#client)
    const xml = domainXml(spec, guestDisks(spec, files), files, this.#domainOptions)
    await this.#domains.define(xml)
  }

  /** True when the guest is off after at most so many seconds of being asked. */
  async #shutDown(uuid: string, timeoutSeconds: number): Promise<boolean> {
    const deadline = Date.now() + timeoutSeconds * 1000
    for (;;) {
      const guest = await this.#domains.find(uuid)
      if (guest === undefined) throw notFound('Instance', uuid)
      if (guest.power === 'shutdown' || guest.power === 'crashed') return true
      const left = deadline - Date.now()
      // A guest that is paused or saved cannot hear the button.
      if (left <= 0 || guest.power !== 'running') return false
      const event = this.#watch.nextEvent(uuid, Math.min(left, pressAgainSeconds * 1000))
      await this.#press(uuid)
      await event
    }
  }

  async #press(uuid: string): Promise<void> {
    try {
      await this.#domains.shutdown(uuid)
    } catch (error) {
      // It went off by itself in this very moment; the next look tells.
      if (!isFault(error, 'conflict')) throw error
    }
  }

  #hear({ dom, event, detail }: LifecycleMessage): void {
    if (event === domainEvent.undefined) this.#watch.forget(dom.uuid)
    const power = powerOfEvent(event, detail)
    if (power !== undefined) this.#tell({ uuid: dom.uuid, power })
  }

  /** Passes on what is news about one of our guests, in the order it came. */
  #tell(event: LifecycleEvent): void {
    if (!this.#watch.note(event)) return
    this.#telling = this.#telling.then(async () => {
      if (await isThere(this.#files(event.uuid).directory)) this.#onEvent(event)
    })
    this.#telling = this.#telling.catch((error: unknown) => {
      this.#options.log.error({ uuid: event.uuid, reason: describeError(error) }, 'lost an event of a guest')
    })
  }

  /** What happened while libvirtd was away is told as if it happened now. */
  async #catchUp(): Promise<void> {
    // It may be another version now.
    this.#domainOptions = undefined
    try {
      for (const guest of await this.listGuests()) this.#tell(guest)
    } catch (error) {
      this.#options.log.warn({ reason: describeError(error) }, 'cannot read the guests after reconnecting')
    }
  }

  async #directories(): Promise<Set<string>> {
    try {
      return new Set(await readdir(this.#options.instancesPath))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Set()
      throw error
    }
  }

  #files(uuid: string) {
    return instanceFiles(this.#options.instancesPath, uuid)
  }
}
