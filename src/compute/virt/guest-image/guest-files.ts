/** The files of this folder that go into the guest as they are. */
import { readFile } from 'node:fs/promises'

/** Where each goes in the guest's root file system, and whether it is run. */
export const guestFiles: readonly { source: string; target: string; mode: number }[] = [
  { source: 'inittab', target: 'etc/inittab', mode: 0o644 },
  { source: 'boot.sh', target: 'etc/init.d/boot', mode: 0o755 },
  { source: 'dhcp.sh', target: 'etc/dhcp.sh', mode: 0o755 },
  { source: 'metadata.sh', target: 'etc/init.d/metadata', mode: 0o755 },
  { source: 'json.awk', target: 'etc/json.awk', mode: 0o644 },
  { source: 'power-button.sh', target: 'etc/acpi/PWRF/00000080', mode: 0o755 },
  { source: 'power-button.sh', target: 'usr/sbin/shutdown-now', mode: 0o755 },
  { source: 'sudo.sh', target: 'usr/bin/sudo', mode: 0o755 },
]

/** All sources, for a hash that changes when the image must be built anew. */
export const guestSources: readonly string[] = [
  ...new Set(['initramfs-init.sh', ...guestFiles.map(({ source }) => source)]),
]

export const guestFile = (source: string): Promise<Buffer> =>
  readFile(new URL(`./guest/${source}`, import.meta.url))
