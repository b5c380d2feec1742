/** Packages of the distribution, downloaded and unpacked without being installed. */
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault } from '../../../base/errors.ts'
import type { Run } from '../../../linux/run.ts'

/** A release's mirror may be slow; a whole kernel comes from it. */
const downloadTimeoutSeconds = 900

/** Downloads these packages and unpacks them over each other into `target`. */
export async function unpackPackages(
  names: readonly string[],
  directory: string,
  target: string,
  run: Run,
): Promise<void> {
  const archives = join(directory, 'archives')
  await mkdir(archives, { recursive: true })
  await mkdir(target, { recursive: true })
  try {
    await download(names, archives, run)
  } catch {
    // The machine may never have read its package lists; a second failure is told.
    await run('apt-get', ['update'], { timeoutSeconds: downloadTimeoutSeconds })
    await download(names, archives, run)
  }
  for (const archive of await readdir(archives)) {
    await run('dpkg-deb', ['-x', join(archives, archive), target], { timeoutSeconds: 300 })
  }
}

async function download(names: readonly string[], archives: string, run: Run): Promise<void> {
  const offered = await describe(names, run)
  const missing = names.filter((name) => !offered.includes(`Package: ${name}\n`))
  if (missing.length > 0) {
    throw new Fault(
      'unavailable',
      `The guest image needs packages that this distribution does not offer: ${missing.join(', ')}. ` +
        'Give an image of your own instead (up --image FILE).',
      { missing },
    )
  }
  const options = { timeoutSeconds: downloadTimeoutSeconds }
  // Without the option apt complains that its unprivileged user cannot write here.
  const sandbox = ['-o', 'APT::Sandbox::User=root']
  await run('env', ['--chdir', archives, 'apt-get', '-qq', ...sandbox, 'download', ...names], options)
}

/** The newest package that `meta` stands for: `linux-image-6.1.0-56-cloud-amd64` for `linux-image-cloud-amd64`. */
export async function packageBehind(meta: string, run: Run): Promise<string> {
  const found = /Depends: (linux-image-\S+)/.exec(await describe([meta], run))
  if (found !== null) return found[1]!
  await run('apt-get', ['update'], { timeoutSeconds: downloadTimeoutSeconds })
  const again = /Depends: (linux-image-\S+)/.exec(await describe([meta], run))
  if (again !== null) return again[1]!
  throw new Fault(
    'unavailable',
    `The guest image needs the package ${meta}, which this distribution does not offer. ` +
      'Give an image of your own instead (up --image FILE).',
    { missing: [meta] },
  )
}

async function describe(names: readonly string[], run: Run): Promise<string> {
  const { stdout } = await run('apt-cache', ['show', '--no-all-versions', ...names], { okCodes: [100] })
  return stdout
}
