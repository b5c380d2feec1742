/** The config drive: an ISO 9660 volume labelled `config-2`, where guests look for their metadata without a network. */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import { Fault } from '../../../base/errors.ts'
import type { Run } from '../../../linux/run.ts'

/** Writes `files` (contents by path) as an ISO to `path`. */
export async function writeConfigDrive(
  path: string,
  files: Readonly<Record<string, string>>,
  run: Run,
): Promise<void> {
  const tree = `${path}.tree`
  await rm(tree, { recursive: true, force: true })
  try {
    for (const [name, content] of Object.entries(files)) {
      const target = normalize(join(tree, name))
      if (!target.startsWith(`${tree}/`))
        throw new Fault('invalid', `The config drive cannot hold the path ${name}`)
      await mkdir(dirname(target), { recursive: true })
      await writeFile(target, content, { mode: 0o600 })
    }
    // Long and lower-case names as they are, for readers with and without Joliet and Rock Ridge.
    const names = ['-ldots', '-allow-lowercase', '-allow-multidot', '-l', '-J', '-r']
    await run('genisoimage', [
      '-o',
      path,
      ...names,
      '-quiet',
      '-publisher',
      'Kilonova',
      '-V',
      'config-2',
      tree,
    ])
  } finally {
    await rm(tree, { recursive: true, force: true })
  }
}
