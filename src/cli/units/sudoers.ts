/** What sudo must allow for programs of hosts that do not run as root: to start their privileged helper, and nothing else. */
import { existsSync, lstatSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The program that sudo is to run; `home` is where Kilonova is. */
const helperOf = (home: string): string => join(home, 'bin/kilonova-rootwrap')

/** A file for /etc/sudoers.d; `users` have the names of their projects. */
export const sudoersText = (home: string, users: readonly string[]): string =>
  [
    '# Written by kilonova units. What the helper does for each user stands in its own list.',
    ...users.map((user) => `${user} ALL = (root) NOPASSWD: ${helperOf(home)} ${user}`),
    '',
  ].join('\n')

const helper = 'src/linux/rootwrap/helper'

/** What is run as root when the helper starts, below `home`. */
const runAsRoot = (home: string): string[] => [
  ...['bin/kilonova-rootwrap', 'src/linux/collect.ts', 'package.json'],
  ...(existsSync(join(home, helper)) ? readdirSync(join(home, helper)) : []).map((name) =>
    join(helper, name),
  ),
  ...['x64', 'arm64'].map((kind) => `node_modules/node-linux-${kind}/bin/node`),
]

/**
 * Why sudo must not run the helper from this place: somebody else than root could change it, or its path means something
 * to sudo. Undefined when it may.
 */
export function whyNotAsRoot(home: string): string | undefined {
  if (!/^[\w/.+-]+$/.test(home)) return `${home} has signs in it that sudoers has a use for`
  const looked = new Set<string>()
  for (const name of runAsRoot(home)) {
    for (let path = join(home, name); !looked.has(path); path = dirname(path)) {
      looked.add(path)
      const stat = lstatSync(path, { throwIfNoEntry: false })
      if (stat === undefined) continue
      if (stat.uid !== 0) return `${path} belongs to another user than root`
      const isSticky = stat.isDirectory() && (stat.mode & 0o1000) !== 0
      if (!stat.isSymbolicLink() && (stat.mode & 0o022) !== 0 && !isSticky)
        return `${path} can be written by others than root`
    }
  }
  return undefined
}
