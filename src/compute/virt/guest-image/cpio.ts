/** Writes the archive format of Linux's initramfs ("newc" cpio), so that no program for it needs to be installed. */

export interface CpioEntry {
  path: string
  /** Type and permission bits, as in `stat`. */
  mode: number
  content?: Buffer
  /** Major and minor number of a device. */
  device?: readonly [number, number]
}

/** The modes of what an initramfs is made of. */
export const cpioMode = { directory: 0o40755, program: 0o100755, file: 0o100644, device: 0o20600 } as const

/** The archive of these entries; parents must come before what is in them. */
export function cpioArchive(entries: readonly CpioEntry[]): Buffer {
  const all = [...entries, { path: 'TRAILER!!!', mode: 0 }]
  return Buffer.concat(all.flatMap((entry, index) => pieces(entry, index + 1)))
}

function pieces({ path, mode, content = Buffer.alloc(0), device = [0, 0] }: CpioEntry, inode: number) {
  const name = Buffer.from(`${path}\0`)
  // inode mode uid gid links mtime size device(2) rdevice(2) name-length checksum: no times, so that equal input
  // gives equal output.
  const numbers = [inode, mode, 0, 0, 1, 0, content.length, 0, 0, ...device, name.length, 0]
  const header = Buffer.from(
    `070701${numbers.map((number) => number.toString(16).padStart(8, '0')).join('')}`,
  )
  return [padded(Buffer.concat([header, name])), padded(content)]
}

const padded = (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)])
