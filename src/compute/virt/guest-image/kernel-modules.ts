/** The kernel modules that the guest needs, made small and quick to load. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Fault } from '../../../base/errors.ts'

export interface KernelModule {
  name: string
  /** Names of the modules it needs itself. */
  dependencies: readonly string[]
  content: Buffer
}

const signatureMarker = Buffer.from('~Module signature appended~\n')
const signatureHeader = 12

/** Reads `names` and all they depend on; each comes after its dependencies. What is built into the kernel is left out. */
export async function readModules(tree: string, names: readonly string[]): Promise<KernelModule[]> {
  const files = new Map<string, string>()
  for (const file of await readdir(tree, { recursive: true })) {
    if (file.endsWith('.ko')) files.set(moduleName(file), join(tree, file))
  }
  const builtIn = new Set((await readFile(join(tree, 'modules.builtin'), 'utf8')).split('\n').map(moduleName))
  const found = new Map<string, KernelModule>()
  const visit = async (name: string): Promise<void> => {
    if (found.has(name) || builtIn.has(name)) return
    const file = files.get(name)
    if (file === undefined) throw new Fault('unavailable', `The kernel package has no module ${name}.`)
    const module = parseModule(name, await readFile(file))
    for (const dependency of module.dependencies) await visit(dependency)
    found.set(name, module)
  }
  for (const name of names) await visit(name)
  return [...found.values()]
}

/** Writes modules for `modprobe`, with the table of dependencies that it reads. */
export async function installModules(root: string, version: string, modules: readonly KernelModule[]) {
  const target = join(root, 'lib', 'modules', version)
  await mkdir(target, { recursive: true })
  const byName = new Map(modules.map((module) => [module.name, module]))
  const lines = modules.map((module) => {
    const needed = [...allDependencies(module, byName)].map((name) => ` ${name}.ko`)
    return `${module.name}.ko:${needed.join('')}\n`
  })
  for (const { name, content } of modules) await writeFile(join(target, `${name}.ko`), content)
  await writeFile(join(target, 'modules.dep'), lines.join(''))
}

/** Direct and indirect ones, those first that need the others: `modprobe` loads from the end. */
function allDependencies(module: KernelModule, byName: Map<string, KernelModule>): Set<string> {
  const names = new Set<string>()
  const add = (name: string) => {
    names.delete(name)
    names.add(name)
    for (const dependency of byName.get(name)?.dependencies ?? []) add(dependency)
  }
  for (const dependency of module.dependencies) add(dependency)
  return names
}

/** Its dependencies from the `.modinfo` section, and its content without the signature. */
export function parseModule(name: string, file: Buffer): KernelModule {
  const info = /(?:^|\0)depends=([\w,-]*)\0/.exec(file.toString('latin1'))
  const dependencies = (info?.[1] ?? '').split(',').filter((dependency) => dependency !== '')
  return { name, dependencies: dependencies.map(moduleName), content: withoutSignature(file) }
}

/** An emulated processor spends a tenth of a second on each signature; a kernel that does not insist takes none too. */
function withoutSignature(file: Buffer): Buffer {
  const marker = file.length - signatureMarker.length
  if (marker < signatureHeader || !file.subarray(marker).equals(signatureMarker)) return file
  const length = file.readUInt32BE(marker - 4)
  return file.subarray(0, marker - signatureHeader - length)
}

/** Files say `virtio-rng`, the kernel says `virtio_rng`. */
const moduleName = (file: string) => basename(file, '.ko').replaceAll('-', '_')

/** Where the kernel package keeps the modules of its one version. */
export async function modulesTree(unpacked: string): Promise<{ tree: string; version: string }> {
  const parent = join(unpacked, 'lib', 'modules')
  const [version] = await readdir(parent)
  if (version === undefined) throw new Fault('unavailable', `The kernel package has no ${dirname(parent)}.`)
  return { tree: join(parent, version), version }
}
