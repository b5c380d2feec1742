/** `instances/_base`: what overlays are based on. Each file is made once, however many guests want it at a time. */
import { createHash } from 'node:crypto'
import { chmod, mkdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault } from '../../../base/errors.ts'
import type { Run } from '../../../linux/run.ts'
import type { GuestSpec, ImageSource } from '../driver.ts'
import { isThere } from './instance-files.ts'
import { readQcow2 } from './qcow2.ts'

export interface BaseFile {
  path: string
  format: 'raw' | 'qcow2'
  virtualSize: number
}

const rawFormats = new Set(['raw', 'ami', 'iso'])
const gibibyte = 1024 ** 3
const mebibyte = 1024 ** 2

export class BaseCache {
  readonly #directory: string
  readonly #run: Run
  readonly #making = new Map<string, Promise<void>>()

  constructor(instancesPath: string, run: Run) {
    this.#directory = join(instancesPath, '_base')
    this.#run = run
  }

  /** The image of the Image service as a local file that is safe to hand to QEMU. */
  async image(image: NonNullable<GuestSpec['image']>, images: ImageSource): Promise<BaseFile> {
    const format = rawFormats.has(image.diskFormat) ? 'raw' : 'qcow2'
    if (format === 'qcow2' && image.diskFormat !== 'qcow2') {
      throw new Fault(
        'invalid',
        `Image ${image.id} has the disk format ${image.diskFormat}; servers boot from qcow2 and raw. ` +
          `Convert it with qemu-img convert -O qcow2.`,
      )
    }
    const name = createHash('sha1').update(image.id).digest('hex')
    const path = await this.#once(name, async (partial) => {
      await images.download(image.id, partial)
      if (format === 'qcow2') await readQcow2(partial)
    })
    // The name says nothing of the format, which the Image service lets nobody change after upload.
    const virtualSize = format === 'qcow2' ? (await readQcow2(path)).virtualSize : (await stat(path)).size
    return { path, format, virtualSize }
  }

  /** A formatted empty disk, as guests expect for ephemeral storage. */
  async ephemeral(gigabytes: number): Promise<BaseFile> {
    const virtualSize = gigabytes * gibibyte
    const path = await this.#once(`ephemeral_${gigabytes}_ext4`, async (partial) => {
      await this.#run('mke2fs', ['-q', '-F', '-t', 'ext4', '-L', 'ephemeral0', partial, `${gigabytes}G`])
    })
    return { path, format: 'raw', virtualSize }
  }

  /** A disk made with mkswap. */
  async swap(megabytes: number): Promise<BaseFile> {
    const virtualSize = megabytes * mebibyte
    const path = await this.#once(`swap_${megabytes}`, async (partial) => {
      await this.#run('truncate', ['-s', String(virtualSize), partial])
      await this.#run('mkswap', [partial])
    })
    return { path, format: 'raw', virtualSize }
  }

  async #once(name: string, make: (partial: string) => Promise<unknown>): Promise<string> {
    const path = join(this.#directory, name)
    if (!this.#making.has(name) && (await isThere(path))) return path
    let making = this.#making.get(name)
    if (making === undefined) {
      making = this.#make(path, make).finally(() => this.#making.delete(name))
      this.#making.set(name, making)
    }
    await making
    return path
  }

  async #make(path: string, make: (partial: string) => Promise<unknown>): Promise<void> {
    // Looked for again: between the look outside and now another may have finished it.
    if (await isThere(path)) return
    const partial = `${path}.part`
    await mkdir(this.#directory, { recursive: true })
    // Of a program that was killed while it made this file.
    await rm(partial, { force: true })
    try {
      await make(partial)
      await chmod(partial, 0o444)
      await rename(partial, path)
    } catch (error) {
      await rm(partial, { force: true })
      throw error
    }
  }
}
