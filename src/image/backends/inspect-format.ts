/** Tells disk formats apart by their first bytes, and what in them a hypervisor must not be given. */
import { Fault } from '../../base/errors.ts'

export interface Inspection {
  /** `raw` when nothing is recognised: any bytes are a raw disk. */
  format: string
  /** Size of the disk inside, when the format tells it. */
  virtualSize?: number
  /** Why a hypervisor must not open it: it would read files of the host. */
  danger?: string
}

/** So many first bytes tell every format we know; ISO 9660's mark comes last of them. */
export const inspectedBytes = 0x8006

/** Looks at the beginning of an image: up to `inspectedBytes`, all of it when it is shorter. */
export function inspectFormat(head: Buffer): Inspection {
  if (startsWith(head, 'QFI\xfb')) return inspectQcow2(head)
  if (startsWith(head, 'QED\0'))
    return { format: 'qed', danger: 'QED is not supported by any current hypervisor' }
  if (startsWith(head, 'conectix')) return sized('vhd', head, 48, () => head.readBigUInt64BE(40))
  if (startsWith(head, 'vhdxfile')) return { format: 'vhdx' }
  if (startsWith(head, 'KDMV')) return inspectVmdk(head)
  if (head.length >= 0x44 && head.readUInt32LE(0x40) === 0xbeda107f)
    return sized('vdi', head, 0x178, () => head.readBigUInt64LE(0x170))
  if (head.subarray(0x8001, 0x8006).toString('latin1') === 'CD001') return { format: 'iso' }
  return { format: 'raw' }
}

/** Throws `unsupported-media` where the data must not become an image of that disk format. */
export function assertFormat(found: Inspection, diskFormat: string): void {
  if (found.danger !== undefined) refuse(`Image content is not safe: ${found.danger}.`)
  const differs =
    found.format === 'raw' ? diskFormat === 'qcow2' : !accepted(found.format).includes(diskFormat)
  if (differs)
    refuse(`Image content is ${found.format}, but the image's disk_format is ${diskFormat}; they must match.`)
}

// A bootable ISO is a disk as well, and any format may be what it is when told by its own name.
const accepted = (format: string): string[] =>
  format === 'iso' ? ['iso', 'raw', 'ami', 'ari', 'aki'] : [format]

function refuse(message: string): never {
  throw new Fault('unsupported-media', message)
}

const incompatible = { dataFile: 2, lastKnown: 4 }

function inspectQcow2(head: Buffer): Inspection {
  if (head.length < 72) return { format: 'qcow2', danger: 'the qcow2 header is cut short' }
  const version = head.readUInt32BE(4)
  const found: Inspection = { format: 'qcow2', virtualSize: Number(head.readBigUInt64BE(24)) }
  if (version !== 2 && version !== 3) found.danger = `qcow2 version ${version} is unknown`
  else if (head.readBigUInt64BE(8) !== 0n) found.danger = 'it has a backing file'
  else if (version === 3) {
    if (head.length < 80) return { ...found, danger: 'the qcow2 header is cut short' }
    const features = head.readBigUInt64BE(72)
    if ((features >> BigInt(incompatible.dataFile)) & 1n) found.danger = 'it has an external data file'
    else if (features >> BigInt(incompatible.lastKnown + 1)) found.danger = 'it has unknown features'
  }
  return found
}

const vmdkSector = 512

function inspectVmdk(head: Buffer): Inspection {
  if (head.length < 64) return { format: 'vmdk', danger: 'the VMDK header is cut short' }
  const found: Inspection = { format: 'vmdk', virtualSize: Number(head.readBigUInt64LE(12)) * vmdkSector }
  const start = Number(head.readBigUInt64LE(28)) * vmdkSector
  const length = Number(head.readBigUInt64LE(36)) * vmdkSector
  const descriptor = head.subarray(start, start + length).toString('latin1')
  const type = /createType="([^"]*)"/.exec(descriptor)?.[1]
  if (type !== 'monolithicSparse' && type !== 'streamOptimized')
    found.danger = `the VMDK type ${type ?? 'is not told and'} is not allowed`
  else if (/^(RW|RDONLY|NOACCESS)\b.*\//im.test(descriptor)) found.danger = 'an extent names a file elsewhere'
  return found
}

const startsWith = (head: Buffer, mark: string): boolean =>
  head.subarray(0, mark.length).toString('latin1') === mark

const sized = (format: string, head: Buffer, needs: number, read: () => bigint): Inspection =>
  head.length < needs ? { format } : { format, virtualSize: Number(read()) }
