/** The calls on domains that the driver makes, with the numbers that mean nothing to it hidden. */
import { sleep } from '../../../base/clock.ts'
import { isFault } from '../../../base/errors.ts'
import type { GuestState, PowerState } from '../driver.ts'
import { powerOfState } from './power.ts'
import type { LibvirtClient } from './rpc/client.ts'
import {
  createFlags,
  domainState,
  errorCode,
  listFlags,
  shutdownFlags,
  statsState,
  undefineEverything,
} from './rpc/constants.ts'
import { hasLibvirtCode } from './rpc/fault.ts'
import type { DomainRef } from './rpc/structs.ts'

/** libvirtd looks domains up by their uuid alone; name and id only decorate its messages. */
const refTo = (uuid: string): DomainRef => ({ name: uuid, uuid, id: -1 })

export class Domains {
  readonly #client: LibvirtClient

  constructor(client: LibvirtClient) {
    this.#client = client
  }

  /** Every domain of this libvirtd, in two calls however many there are. */
  async list(): Promise<GuestState[]> {
    const [{ records }, saved] = await Promise.all([
      this.#client.call('connectGetAllDomainStats', { domains: [], stats: statsState, flags: 0 }),
      this.#client.call('connectListAllDomains', { needResults: 1, flags: listFlags.managedSave }),
    ])
    const suspended = new Set(saved.domains.map(({ uuid }) => uuid))
    return records.map(({ dom, params }) => {
      const state = Number(params.find(({ field }) => field === 'state.state')?.value ?? domainState.noState)
      const power: PowerState =
        state === domainState.shutoff && suspended.has(dom.uuid) ? 'suspended' : powerOfState(state)
      return { uuid: dom.uuid, name: dom.name, power }
    })
  }

  /** The state of one domain, or undefined when libvirt does not know it. */
  async find(uuid: string): Promise<GuestState | undefined> {
    try {
      const { dom } = await this.#client.call('domainLookupByUuid', { uuid })
      const { state } = await this.#client.call('domainGetState', { dom, flags: 0 })
      const saved = state === domainState.shutoff && (await this.#isSaved(dom))
      return { uuid, name: dom.name, power: saved ? 'suspended' : powerOfState(state) }
    } catch (error) {
      if (hasLibvirtCode(error, errorCode.noDomain)) return undefined
      throw error
    }
  }

  async define(xml: string): Promise<void> {
    await this.#client.call('domainDefineXmlFlags', { xml, flags: 0 })
  }

  /** Starts a defined domain, from its managed save when it has one. */
  async create(uuid: string, options: { paused: boolean }): Promise<void> {
    const flags = options.paused ? createFlags.paused : 0
    await this.#client.call('domainCreateWithFlags', { dom: refTo(uuid), flags })
  }

  /** Lets a paused domain run; one that runs already is left alone. */
  async resume(uuid: string): Promise<void> {
    try {
      await this.#client.call('domainResume', { dom: refTo(uuid) })
    } catch (error) {
      const running = isFault(error, 'conflict') && (await this.find(uuid))?.power === 'running'
      if (!running) throw error
    }
  }

  async suspend(uuid: string): Promise<void> {
    await this.#client.call('domainSuspend', { dom: refTo(uuid) })
  }

  async managedSave(uuid: string): Promise<void> {
    await this.#client.call('domainManagedSave', { dom: refTo(uuid), flags: 0 })
  }

  /** Presses the power button. */
  async shutdown(uuid: string): Promise<void> {
    const flags = shutdownFlags.acpiPowerButton
    await this.#client.call('domainShutdownFlags', { dom: refTo(uuid), flags })
  }

  /** Ends the domain at once; false when there is none, or none that runs. */
  async destroy(uuid: string): Promise<boolean> {
    for (let tries = 1; ; tries++) {
      try {
        await this.#client.call('domainDestroyFlags', { dom: refTo(uuid), flags: 0 })
        return true
      } catch (error) {
        if (hasLibvirtCode(error, errorCode.noDomain)) return false
        if (hasLibvirtCode(error, errorCode.operationInvalid)) return false
        // On a host that is out of breath the process may need longer to end than libvirt waits.
        if (!hasLibvirtCode(error, errorCode.systemError) || tries === 3) throw error
        await sleep(1000)
      }
    }
  }

  /** Forgets the definition with all that libvirt keeps for it; one that is not there is no error. */
  async undefine(uuid: string): Promise<void> {
    try {
      await this.#client.call('domainUndefineFlags', { dom: refTo(uuid), flags: undefineEverything })
    } catch (error) {
      if (!hasLibvirtCode(error, errorCode.noDomain)) throw error
    }
  }

  async #isSaved(dom: DomainRef): Promise<boolean> {
    return (await this.#client.call('domainHasManagedSaveImage', { dom, flags: 0 })).result === 1
  }
}
