/** The first partition: FAT with syslinux, the kernel and the initramfs, for any BIOS. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Run } from '../../../linux/run.ts'

export interface BootFiles {
  kernel: string
  initramfs: Buffer
}

/**
 * What makes an emulated processor reach userland two seconds earlier: self-tests of ciphers, tracing, and certificates
 * that nothing here uses.
 */
const commandLine = [
  'console=ttyS0,115200',
  'quiet',
  'panic=10',
  'mitigations=off',
  'edd=off',
  'cryptomgr.notests',
  'initcall_blacklist=init_kprobe_trace,load_system_certificate_list,crypto_kdf108_init',
]

const syslinuxConfig = `SERIAL 0 115200
DEFAULT linux
PROMPT 0
TIMEOUT 0
LABEL linux
  LINUX /vmlinuz
  INITRD /initrd
  APPEND ${commandLine.join(' ')}
`

/** Makes the partition within the disk image and writes the boot sector's program before it. */
export async function writeBootPartition(
  disk: string,
  partition: { startSector: number; sectors: number },
  files: BootFiles,
  tools: string,
  run: Run,
): Promise<void> {
  const work = `${disk}.boot`
  await mkdir(work, { recursive: true })
  const initramfs = join(work, 'initrd')
  const config = join(work, 'syslinux.cfg')
  await writeFile(initramfs, files.initramfs)
  await writeFile(config, syslinuxConfig)
  const offset = partition.startSector * 512
  const inDisk = `${disk}@@${offset}`
  const bin = join(tools, 'usr', 'bin')
  // mtools would refuse a partition whose geometry is not that of an old disk; syslinux calls mtools by its PATH.
  const environment = ['MTOOLS_SKIP_CHECK=1', `PATH=${bin}:/usr/sbin:/usr/bin:/sbin:/bin`]
  const tool = (name: string, args: readonly string[]) =>
    run('env', [...environment, join(bin, name), ...args])
  const geometry = ['-h', '64', '-s', '32', '-c', '8', '-H', String(partition.startSector)]
  await tool('mformat', ['-i', inDisk, '-T', String(partition.sectors), ...geometry, '-N', '4b4e', '::'])
  await tool('syslinux', ['--install', '--offset', String(offset), disk])
  await tool('mcopy', ['-i', inDisk, files.kernel, '::/vmlinuz'])
  await tool('mcopy', ['-i', inDisk, initramfs, config, '::/'])
}

/** The program in the first sector that starts the active partition. */
export const readBootSector = (tools: string): Promise<Buffer> =>
  readFile(join(tools, 'usr', 'lib', 'syslinux', 'mbr', 'mbr.bin'))
