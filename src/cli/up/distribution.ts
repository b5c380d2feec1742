/** How missing packages are installed on this distribution, as a line to copy. */
import { existsSync, readFileSync } from 'node:fs'
import type { Need } from './packages.ts'

export type PackageTool = 'apt' | 'dnf'

/** By `/etc/os-release`: of itself or of what it is like. Null for one that has neither tool. */
export function packageTool(osRelease: string = readOsRelease()): PackageTool | null {
  const value = (key: string) =>
    new RegExp(`^${key}=["']?([^"'\n]*)`, 'm').exec(osRelease)?.[1]?.toLowerCase().split(' ') ?? []
  for (const name of [...value('ID'), ...value('ID_LIKE')]) {
    if (['debian', 'ubuntu'].includes(name)) return 'apt'
    if (['fedora', 'rhel', 'centos', 'rocky', 'almalinux'].includes(name)) return 'dnf'
  }
  return null
}

function readOsRelease(): string {
  const path = ['/etc/os-release', '/usr/lib/os-release'].find(existsSync)
  return path === undefined ? '' : readFileSync(path, 'utf8')
}

/** The package of a need by the name that the tool's distributions have for it. */
export const packageName = (need: Need, tool: PackageTool): string =>
  tool === 'dnf' ? (need.dnf ?? need.package) : need.package

/** The command that installs them; the ones of both tools where the distribution tells of neither. */
export function installLine(needs: readonly Need[], tool: PackageTool | null = packageTool()): string {
  if (tool === null)
    return `${installLine(needs, 'apt')} (Debian, Ubuntu), or ${installLine(needs, 'dnf')} (Fedora, RHEL)`
  const names = [...new Set(needs.map((need) => packageName(need, tool)))].join(' ')
  return tool === 'apt'
    ? `apt-get install --no-install-recommends ${names}`
    : `dnf install --setopt=install_weak_deps=False ${names}`
}
