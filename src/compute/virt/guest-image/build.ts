/**
 * Builds the guest image: a small Linux that starts in seconds even on an emulated processor, takes its address by
 * DHCP and its identity from the metadata service or a config drive, and tells on the serial console what it does.
 * Everything in it comes from the distribution's packages, which are unpacked, never installed.
 */
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault } from '../../../base/errors.ts'
import type { Logger } from '../../../base/log.ts'
import type { Run } from '../../../linux/run.ts'
import { readBootSector, writeBootPartition } from './boot-partition.ts'
import { guestFile, guestSources } from './guest-files.ts'
import { buildInitramfs } from './initramfs.ts'
import { modulesTree, readModules } from './kernel-modules.ts'
import { packageBehind, unpackPackages } from './packages.ts'
import { masterBootRecord } from './partition-table.ts'
import { buildRootTree } from './root-filesystem.ts'

export interface GuestImageOptions {
  /** Where the image is kept; a second build finds it there. */
  directory: string
  run: Run
  log: Logger
  progress?: (step: string) => void
}

/** What the guest prints last when all is done; its address and identity follow on the same line. */
export const readyMarker = 'KILONOVA-GUEST-READY'

/** Counts up when this code builds something else from the same guest files. */
const recipe = 1

const kernelPackage = 'linux-image-cloud-amd64'
const packages = [
  'busybox-static',
  'dropbear-bin',
  'libc6',
  'libcrypt1',
  'libgmp10',
  'libtomcrypt1',
  'libtommath1',
  'mtools',
  'syslinux',
  'syslinux-common',
  'zlib1g',
]

/** Needed to reach the disk; the rest is loaded from it. */
const earlyModules = ['virtio_pci', 'virtio_blk']
const lateModules = ['virtio_net', 'virtio_rng', 'button', 'evdev', 'isofs', 'vfat', 'nls_cp437', 'nls_ascii']

const mebibyte = 1024 ** 2
const sectorsPerMebibyte = mebibyte / 512
const rootMebibytes = 192

/** The path of the image, built now unless the directory has it already. */
export async function buildGuestImage(options: GuestImageOptions): Promise<string> {
  const { directory, run, log, progress = () => undefined } = options
  if (process.arch !== 'x64') {
    throw new Fault(
      'unavailable',
      `The guest image can be built on x86-64 only, not on ${process.arch}; give one (up --image FILE).`,
    )
  }
  const image = join(directory, `kilonova-guest-${await recipeHash()}.qcow2`)
  if (await exists(image)) return image
  const started = Date.now()
  await mkdir(directory, { recursive: true })
  const work = await mkdtemp(join(directory, 'build-'))
  try {
    progress('downloading packages')
    const unpacked = join(work, 'packages')
    const kernel = await packageBehind(kernelPackage, run)
    await unpackPackages([kernel, ...packages], work, unpacked, run)
    progress('assembling the disk')
    const disk = await assemble(work, unpacked, run)
    progress('writing the image')
    const finished = join(work, 'image.qcow2')
    await run('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', disk, finished])
    await removeOlder(directory)
    await rename(finished, image)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
  const { size } = await stat(image)
  log.info(
    { image, mebibytes: Math.round(size / mebibyte), ms: Date.now() - started },
    'built the guest image',
  )
  return image
}

async function assemble(work: string, unpacked: string, run: Run): Promise<string> {
  const { tree, version } = await modulesTree(unpacked)
  const root = join(work, 'root')
  const disk = join(work, 'disk.raw')
  const early = await readModules(tree, earlyModules)
  const initramfs = await buildInitramfs(unpacked, early)
  const late = await readModules(tree, [...earlyModules, ...lateModules])
  await buildRootTree(root, unpacked, version, late, run)

  const kernel = join(unpacked, 'boot', `vmlinuz-${version}`)
  const bootMebibytes = Math.ceil(((await stat(kernel)).size + initramfs.length) / mebibyte) + 2
  // FAT16 must not be smaller, or it would be FAT12 to whoever reads it.
  const boot = { startSector: sectorsPerMebibyte, sectors: Math.max(bootMebibytes, 17) * sectorsPerMebibyte }
  const rootStart = boot.startSector + boot.sectors
  const rootPartition = { startSector: rootStart, sectors: rootMebibytes * sectorsPerMebibyte }
  await using file = await open(disk, 'wx')
  await file.truncate((rootStart + rootPartition.sectors + sectorsPerMebibyte) * 512)
  const code = await readBootSector(unpacked)
  const table = masterBootRecord(code, [
    { ...boot, type: 0x0e, active: true },
    { ...rootPartition, type: 0x83, active: false },
  ])
  await file.write(table, 0, table.length, 0)
  await writeBootPartition(disk, boot, { kernel, initramfs }, unpacked, run)
  const extended = `offset=${rootStart * 512},root_owner=0:0,lazy_itable_init=0,nodiscard`
  const format = ['-q', '-F', '-t', 'ext4', '-b', '4096', '-m', '0', '-L', 'kilonova', '-J', 'size=4']
  await run('mke2fs', [...format, '-E', extended, '-d', root, disk, `${rootMebibytes}M`])
  return disk
}

async function recipeHash(): Promise<string> {
  const hash = createHash('sha256').update(String(recipe))
  for (const source of guestSources) hash.update(source).update(await guestFile(source))
  return hash.digest('hex').slice(0, 12)
}

/** Images of former recipes, and what a killed build left. */
async function removeOlder(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (/^kilonova-guest-\w+\.qcow2$/.test(name)) await rm(join(directory, name))
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}
