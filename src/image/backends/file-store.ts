/** Image data as files of one directory, named by image id. A file under its own name is whole and verified. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { Fault } from '../../base/errors.ts'
import { newHexId } from '../../base/ids.ts'
import { type Inspection, inspectedBytes, inspectFormat } from './inspect-format.ts'

export interface StoredData {
  size: number
  checksum: string
  osHashAlgo: string
  osHashValue: string
  inspection: Inspection
}

const hashAlgorithm = 'sha512'
const partial = /^(.+)\.[0-9a-f]{32}\.part$/

export class FileStore {
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  /** The file of an image's data. */
  path(imageId: string): string {
    return join(this.#directory, imageId)
  }

  /**
   * Writes data while counting and hashing it. It gets its name at the very end, after `accept` has seen what it is;
   * whatever fails before that leaves nothing.
   */
  async write(
    imageId: string,
    data: AsyncIterable<Buffer | string>,
    options: { maxBytes: number; accept(data: StoredData): void },
  ): Promise<StoredData> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 })
    const temporary = join(this.#directory, `${imageId}.${newHexId()}.part`)
    await using undo = new AsyncDisposableStack()
    undo.defer(() => rm(temporary, { force: true }))
    const stored = await writeFile(temporary, data, options.maxBytes)
    options.accept(stored)
    await rename(temporary, this.path(imageId)).catch((error: unknown) => {
      throw storageFault(error)
    })
    return stored
  }

  /** The bytes from `start` to `end` (inclusive), or all; undefined when there is no file. */
  async read(
    imageId: string,
    range: { start: number; end: number } | undefined,
  ): Promise<Readable | undefined> {
    const there = await stat(this.path(imageId)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    })
    return there === undefined ? undefined : createReadStream(this.path(imageId), range)
  }

  /** Removes an image's data, if there is any. */
  async delete(imageId: string): Promise<void> {
    await rm(this.path(imageId), { force: true })
  }

  /** Ids of the images with data, whole or not; only of those last written before a time, when one is given. */
  async list(before?: Date): Promise<string[]> {
    return (await this.#files(before)).map((name) => partial.exec(name)?.[1] ?? name)
  }

  /** Removes what writers left that last wrote before a time, since when they must be dead. */
  async removePartial(before: Date): Promise<void> {
    for (const name of await this.#files(before)) {
      if (partial.test(name)) await rm(join(this.#directory, name), { force: true })
    }
  }

  async #files(before?: Date): Promise<string[]> {
    const names = await readdir(this.#directory).catch(ifMissing([] as string[]))
    if (before === undefined) return names
    const old = names.map(async (name) => {
      const there = await stat(join(this.#directory, name)).catch(ifMissing(undefined))
      return there !== undefined && there.mtime < before ? [name] : []
    })
    return (await Promise.all(old)).flat()
  }
}

const ifMissing =
  <T>(instead: T) =>
  (error: NodeJS.ErrnoException): T => {
    if (error.code === 'ENOENT') return instead
    throw error
  }

async function writeFile(
  path: string,
  data: AsyncIterable<Buffer | string>,
  maxBytes: number,
): Promise<StoredData> {
  const checksum = createHash('md5')
  const hash = createHash(hashAlgorithm)
  const head: Buffer[] = []
  let kept = 0
  let size = 0
  await using file = await open(path, 'wx', 0o600)
  for await (const piece of data) {
    const chunk = typeof piece === 'string' ? Buffer.from(piece) : piece
    size += chunk.length
    if (size > maxBytes)
      throw new Fault('too-large', `The incoming image is larger than the limit of ${maxBytes} bytes.`)
    checksum.update(chunk)
    hash.update(chunk)
    if (kept < inspectedBytes) {
      head.push(chunk.subarray(0, inspectedBytes - kept))
      kept += head.at(-1)!.length
    }
    await writeAll(file, chunk)
  }
  await file.sync()
  return {
    size,
    checksum: checksum.digest('hex'),
    osHashAlgo: hashAlgorithm,
    osHashValue: hash.digest('hex'),
    inspection: inspectFormat(Buffer.concat(head)),
  }
}

async function writeAll(file: FileHandle, chunk: Buffer): Promise<void> {
  let written = 0
  while (written < chunk.length) {
    const { bytesWritten } = await file.write(chunk, written).catch((error: unknown) => {
      throw storageFault(error)
    })
    written += bytesWritten
  }
}

function storageFault(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new Fault('too-large', 'The image store is full.', {}, error)
  if (code === 'EACCES' || code === 'EROFS')
    return new Fault('unavailable', 'The image store cannot be written to.', {}, error)
  return error
}
