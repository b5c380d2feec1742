/** A guest's disks: overlays over what `_base` holds, and the config drive. */
import { access, mkdir, rm } from 'node:fs/promises'
import { Fault } from '../../../base/errors.ts'
import type { Run } from '../../../linux/run.ts'
import type { GuestSpec, ImageSource } from '../driver.ts'
import type { BaseCache, BaseFile } from './base-cache.ts'
import { writeConfigDrive } from './config-drive.ts'
import type { InstanceFiles } from './instance-files.ts'
import { writeOverlay } from './qcow2.ts'

const gibibyte = 1024 ** 3

/** One disk as the domain needs it. */
export interface GuestDisk {
  path: string
  format: 'raw' | 'qcow2'
  readonly: boolean
}

export interface DiskDeps {
  cache: BaseCache
  run: Run
}

/** Makes every disk of the guest in its directory, which must be free of them. In the order the guest sees them. */
export async function createDisks(
  { cache, run }: DiskDeps,
  spec: GuestSpec,
  files: InstanceFiles,
  images: ImageSource,
): Promise<void> {
  // Not listable, but open to the user that a system's libvirtd lets its emulators run as.
  await mkdir(files.directory, { recursive: true, mode: 0o711 })
  const work = [createRoot(cache, spec, files.root, images)]
  if (spec.ephemeralGb > 0) work.push(createOver(cache.ephemeral(spec.ephemeralGb), files.ephemeral))
  if (spec.swapMb > 0) work.push(createOver(cache.swap(spec.swapMb), files.swap))
  if (spec.configDrive !== null) work.push(writeConfigDrive(files.configDrive, spec.configDrive, run))
  // All come to an end before the first failure is told: nothing may write into a directory that is being removed.
  const outcomes = await Promise.allSettled(work)
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

/** The disks that `createDisks` makes for this spec. */
export function guestDisks(spec: GuestSpec, files: InstanceFiles): GuestDisk[] {
  const disks: GuestDisk[] = [{ path: files.root, format: 'qcow2', readonly: false }]
  if (spec.ephemeralGb > 0) disks.push({ path: files.ephemeral, format: 'qcow2', readonly: false })
  if (spec.swapMb > 0) disks.push({ path: files.swap, format: 'qcow2', readonly: false })
  if (spec.configDrive !== null) disks.push({ path: files.configDrive, format: 'raw', readonly: true })
  return disks
}

/** Rejects when a disk that this guest had is no longer there; a start would fail with less clear words. */
export async function assertDisks(spec: GuestSpec, files: InstanceFiles): Promise<void> {
  for (const { path } of guestDisks(spec, files)) {
    try {
      await access(path)
    } catch (error) {
      throw new Fault('conflict', `Server ${spec.uuid} has lost its disk ${path}.`, {}, error)
    }
  }
}

/** Removes the guest's directory with all that is in it. */
export const removeDisks = (files: InstanceFiles): Promise<void> =>
  rm(files.directory, { recursive: true, force: true })

async function createRoot(
  cache: BaseCache,
  spec: GuestSpec,
  path: string,
  images: ImageSource,
): Promise<void> {
  const wanted = spec.rootGb * gibibyte
  if (spec.image === null) return writeOverlay(path, { virtualSize: wanted })
  const base = await cache.image(spec.image, images)
  if (wanted > 0 && base.virtualSize > wanted) {
    throw new Fault(
      'invalid',
      `Flavor's disk is too small for requested image. Flavor disk is ${wanted} bytes, image is ${base.virtualSize} bytes.`,
    )
  }
  await writeOverlay(path, { virtualSize: wanted || base.virtualSize, backing: base })
}

async function createOver(base: Promise<BaseFile>, path: string): Promise<void> {
  const backing = await base
  await writeOverlay(path, { virtualSize: backing.virtualSize, backing })
}
