/** The initramfs: just enough to find the disk and go on from it. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type CpioEntry, cpioArchive, cpioMode } from './cpio.ts'
import { guestFile } from './guest-files.ts'
import type { KernelModule } from './kernel-modules.ts'

/** Modules in the order in which they must be loaded. */
export async function buildInitramfs(unpacked: string, modules: readonly KernelModule[]): Promise<Buffer> {
  const entries: CpioEntry[] = ['bin', 'dev', 'root', 'modules'].map((path) => ({
    path,
    mode: cpioMode.directory,
  }))
  entries.push({ path: 'dev/console', mode: cpioMode.device, device: [5, 1] })
  const program = (path: string, content: Buffer) => entries.push({ path, mode: cpioMode.program, content })
  program('bin/busybox', await readFile(join(unpacked, 'bin', 'busybox')))
  program('init', await guestFile('initramfs-init.sh'))
  // Numbered, so that the shell's sorted pattern loads them in this order.
  for (const [index, { name, content }] of modules.entries()) {
    program(`modules/${String(index).padStart(2, '0')}-${name}.ko`, content)
  }
  return cpioArchive(entries)
}
