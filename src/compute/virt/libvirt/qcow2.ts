/**
 * qcow2 headers, read and written here: reading, because an image of a user must not make QEMU open other files of
 * the host; writing, because a new overlay is three small tables and a process for it would cost more than all else.
 */
import { open } from 'node:fs/promises'
import { Fault } from '../../../base/errors.ts'

export interface Qcow2Header {
  virtualSize: number
}

const magic = 0x514649fb
const shortestHeader = 72
const version3Header = 104
const clusterBits = 16
const clusterSize = 1 << clusterBits
/** One L2 table fills a cluster with 8-byte entries, each for one cluster of data. */
const bytesPerL1Entry = (clusterSize / 8) * clusterSize
const backingFormatExtension = 0xe2792aca
const incompatible = { dirty: 1, corrupt: 2, externalData: 4, compressionType: 8, extendedL2: 16 } as const
const tolerated = incompatible.dirty | incompatible.compressionType | incompatible.extendedL2

/** Reads the header of a user's image; rejects what is no qcow2 and what refers to another file or needs a secret. */
export async function readQcow2(path: string): Promise<Qcow2Header> {
  await using file = await open(path)
  const header = Buffer.alloc(version3Header)
  const { bytesRead } = await file.read(header, 0, header.length, 0)
  if (bytesRead < shortestHeader || header.readUInt32BE(0) !== magic) throw refuse('it is no qcow2 file')
  const version = header.readUInt32BE(4)
  if (version !== 2 && version !== 3) throw refuse(`its qcow2 version is ${version}`)
  if (header.readBigUInt64BE(8) !== 0n) throw refuse('it has a backing file')
  if (header.readUInt32BE(32) !== 0) throw refuse('it is encrypted')
  const features = version === 3 && bytesRead >= version3Header ? header.readBigUInt64BE(72) : 0n
  if ((features & BigInt(incompatible.externalData)) !== 0n) throw refuse('its data are in another file')
  if ((features & BigInt(incompatible.corrupt)) !== 0n) throw refuse('it is marked as corrupt')
  if ((features & ~BigInt(tolerated)) !== 0n) throw refuse('it needs features that are not known here')
  const size = header.readBigUInt64BE(24)
  if (size > BigInt(Number.MAX_SAFE_INTEGER)) throw refuse('its size cannot be')
  return { virtualSize: Number(size) }
}

const refuse = (reason: string) => new Fault('invalid', `The image cannot be used as a disk: ${reason}.`)

export interface OverlayOptions {
  virtualSize: number
  /** What shows through where the guest has not written; none makes an empty disk. */
  backing?: { path: string; format: 'raw' | 'qcow2' }
}

/** Writes an empty qcow2 (version 3) of that size; `path` must not exist. */
export async function writeOverlay(path: string, options: OverlayOptions): Promise<void> {
  const size = Math.ceil(options.virtualSize / 512) * 512
  const l1Entries = Math.max(1, Math.ceil(size / bytesPerL1Entry))
  const l1Clusters = Math.ceil((l1Entries * 8) / clusterSize)
  // Header, refcount table, refcount block, then the L1 table.
  const clusters = 3 + l1Clusters
  const image = Buffer.alloc(3 * clusterSize)
  writeHeader(image, { ...options, virtualSize: size }, l1Entries)
  image.writeBigUInt64BE(BigInt(2 * clusterSize), clusterSize)
  for (let cluster = 0; cluster < clusters; cluster++) image.writeUInt16BE(1, 2 * clusterSize + 2 * cluster)
  await using file = await open(path, 'wx', 0o600)
  await file.write(image, 0, image.length, 0)
  await file.truncate(clusters * clusterSize)
}

function writeHeader(image: Buffer, options: OverlayOptions, l1Entries: number): void {
  const format = Buffer.from(options.backing?.format ?? '')
  const backing = Buffer.from(options.backing?.path ?? '')
  if (backing.length > 1023) throw new Fault('invalid', `The path of the base image is too long: ${backing}`)
  image.writeUInt32BE(magic, 0)
  image.writeUInt32BE(3, 4)
  image.writeUInt32BE(clusterBits, 20)
  image.writeBigUInt64BE(BigInt(options.virtualSize), 24)
  image.writeUInt32BE(l1Entries, 36)
  image.writeBigUInt64BE(BigInt(3 * clusterSize), 40)
  image.writeBigUInt64BE(BigInt(clusterSize), 48)
  image.writeUInt32BE(1, 56)
  image.writeUInt32BE(4, 96)
  image.writeUInt32BE(version3Header, 100)
  if (options.backing === undefined) return
  image.writeUInt32BE(backingFormatExtension, version3Header)
  image.writeUInt32BE(format.length, version3Header + 4)
  format.copy(image, version3Header + 8)
  // The format is padded to 8 bytes; an extension of type 0 ends the list.
  const nameOffset = version3Header + 8 + Math.ceil(format.length / 8) * 8 + 8
  backing.copy(image, nameOffset)
  image.writeBigUInt64BE(BigInt(nameOffset), 8)
  image.writeUInt32BE(backing.length, 16)
}
