import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { installModules, parseModule, readModules } from './kernel-modules.ts'

const moduleFile = (dependencies: string) => Buffer.from(`ELF\0license=GPL\0depends=${dependencies}\0code`)

function signed(content: Buffer): Buffer {
  const signature = Buffer.alloc(20, 7)
  const header = Buffer.alloc(12)
  header.writeUInt32BE(signature.length, 8)
  return Buffer.concat([content, signature, header, Buffer.from('~Module signature appended~\n')])
}

async function kernelTree(files: Record<string, string>, builtIn: string) {
  const tree = await mkdtemp(join(tmpdir(), 'modules-'))
  await mkdir(join(tree, 'kernel'))
  for (const [name, dependencies] of Object.entries(files)) {
    await writeFile(join(tree, 'kernel', name), moduleFile(dependencies))
  }
  await writeFile(join(tree, 'modules.builtin'), builtIn)
  return { tree, [Symbol.asyncDispose]: () => rm(tree, { recursive: true }) }
}

test("a module's signature is taken off, everything else stays", () => {
  const content = moduleFile('virtio,virtio_ring')
  const parsed = parseModule('virtio_net', signed(content))
  assert.deepEqual(parsed.content, content)
  assert.deepEqual(parsed.dependencies, ['virtio', 'virtio_ring'])
  assert.deepEqual(parseModule('x', content).content, content)
})

test('modules come after what they depend on, and built-in ones not at all', async () => {
  const files = { 'net-card.ko': 'bus,ring', 'bus.ko': 'ring', 'ring.ko': '', 'unused.ko': '' }
  await using kernel = await kernelTree(files, 'kernel/drivers/char/rng-core.ko\n')
  const modules = await readModules(kernel.tree, ['net_card', 'rng_core'])
  assert.deepEqual(
    modules.map(({ name }) => name),
    ['ring', 'bus', 'net_card'],
  )
  await assert.rejects(readModules(kernel.tree, ['no_such']), /no module no_such/)
})

test('modprobe finds all dependencies, the deepest last', async () => {
  await using kernel = await kernelTree({ 'net.ko': 'bus,ring', 'bus.ko': 'ring', 'ring.ko': '' }, '')
  await installModules(kernel.tree, '6.1', await readModules(kernel.tree, ['net']))
  const table = await readFile(join(kernel.tree, 'lib/modules/6.1/modules.dep'), 'utf8')
  assert.deepEqual(table.trim().split('\n'), ['ring.ko:', 'bus.ko: ring.ko', 'net.ko: bus.ko ring.ko'])
})
