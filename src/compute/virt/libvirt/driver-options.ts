/** What the libvirt driver is told at its creation. */
import type { Logger } from '../../../base/log.ts'
import type { Run } from '../../../linux/run.ts'

export interface LibvirtDriverOptions {
  /** Of a libvirtd, as `startLibvirt` returns it. */
  socketPath: string
  /** Where guests' disks are. A domain is ours when its uuid has a directory here. */
  instancesPath: string
  run: Run
  log: Logger
  /** What the network agents know this cloud's devices by, where several share a machine. Default `default`. */
  cloudId?: string
  /** `auto` is `kvm` where the processor can, else `qemu`. */
  virtType?: 'auto' | 'kvm' | 'qemu'
  /** QEMU's machine type for images that name none. Default `pc`. */
  machine?: string
  /** Gives every guest a VNC console on this address. */
  vncListen?: string
}
