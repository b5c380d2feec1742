/** The image as JSON schema: what bodies are checked with, and what `/v2/schemas` tells. */
import { type TSchema, Type } from 'typebox'
import { Fault } from '../../../base/errors.ts'
import { check } from '../../../base/http/validate.ts'
import type { ImageSettings } from '../../config.ts'

export const uuidPattern =
  '^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$'

type Property = Readonly<Record<string, unknown>>

const text = (description: string, more: Property = {}): Property => ({
  type: 'string',
  description,
  ...more,
})
const nullableText = (description: string, more: Property = {}): Property => ({
  type: ['null', 'string'],
  description,
  ...more,
})
const readOnly = { readOnly: true }

/** Properties that every image has; any other key of an image is a custom property, a string. */
export function baseProperties(settings: ImageSettings): Readonly<Record<string, Property>> {
  return {
    id: text('The id of the image; made up unless given.', { pattern: uuidPattern }),
    name: nullableText('A name for people; it need not be unique.', { maxLength: 255 }),
    status: text('Where the image is in its life.', {
      ...readOnly,
      enum: [
        'queued',
        'saving',
        'active',
        'killed',
        'deleted',
        'uploading',
        'importing',
        'pending_delete',
        'deactivated',
      ],
    }),
    visibility: text('Who can see and use the image.', {
      enum: ['community', 'public', 'private', 'shared'],
    }),
    protected: { type: 'boolean', description: 'True for an image that cannot be deleted.' },
    os_hidden: { type: 'boolean', description: 'True for an image that lists leave out unless asked for.' },
    checksum: nullableText('MD5 of the data.', { ...readOnly, maxLength: 32 }),
    os_hash_algo: nullableText('The algorithm of os_hash_value.', { ...readOnly, maxLength: 64 }),
    os_hash_value: nullableText('Hash of the data, in hexadecimal.', { ...readOnly, maxLength: 128 }),
    owner: nullableText('The project that owns the image.', { maxLength: 255 }),
    size: { type: ['null', 'integer'], ...readOnly, description: 'Size of the data in bytes.' },
    virtual_size: {
      type: ['null', 'integer'],
      ...readOnly,
      description: 'Size in bytes of the disk that the data describe.',
    },
    container_format: nullableText('What the data are wrapped in.', {
      enum: [null, ...settings.containerFormats],
    }),
    disk_format: nullableText('The format of the disk.', { enum: [null, ...settings.diskFormats] }),
    created_at: text('When the image was registered.', readOnly),
    updated_at: text('When the image last changed.', readOnly),
    tags: {
      type: 'array',
      description: 'Words to find the image by.',
      items: { type: 'string', maxLength: 255 },
    },
    direct_url: text("Where the data are, in the store's own terms.", readOnly),
    min_ram: { type: 'integer', description: 'Least memory in MiB of a server made of this image.' },
    min_disk: { type: 'integer', description: 'Least root disk in GiB of a server made of this image.' },
    self: text('The path of the image.', readOnly),
    file: text("The path of the image's data.", readOnly),
    stores: text('Ids of the stores that have the data, with commas between.', readOnly),
    schema: text('The path of the schema of the image.', readOnly),
    locations: {
      type: 'array',
      description: 'Where the data are.',
      items: {
        type: 'object',
        properties: { url: { type: 'string', maxLength: 255 }, metadata: { type: 'object' } },
        required: ['url', 'metadata'],
      },
    },
  }
}

const uuidOrNull = { type: ['null', 'string'], pattern: uuidPattern, is_base: false }
const custom = (description: string): Property => ({ type: 'string', description, is_base: false })

/** Custom properties with a meaning of their own, that clients show and check. */
export const knownProperties: Readonly<Record<string, Property>> = {
  kernel_id: { ...uuidOrNull, description: 'The image of the kernel of an AMI image.' },
  ramdisk_id: { ...uuidOrNull, description: 'The image of the initial ramdisk of an AMI image.' },
  instance_uuid: custom('The server that the image was made of.'),
  architecture: custom('The processor architecture of the operating system.'),
  os_distro: custom('The common name of the distribution, in lower case.'),
  os_version: custom('The version of the operating system, as its distributor writes it.'),
}

const links = [
  { rel: 'self', href: '{self}' },
  { rel: 'enclosure', href: '{file}' },
  { rel: 'describedby', href: '{schema}' },
]

/** `/v2/schemas/image`. */
export const imageSchema = (settings: ImageSettings) => ({
  name: 'image',
  properties: { ...baseProperties(settings), ...knownProperties },
  additionalProperties: { type: 'string' },
  links,
})

const compiled = new WeakMap<ImageSettings, TSchema>()

/** Throws `invalid` unless the body, or the part of an image that a patch sets, fits the schema. */
export function assertImage(settings: ImageSettings, body: unknown): void {
  let schema = compiled.get(settings)
  if (schema === undefined) {
    schema = Type.Unsafe({ type: 'object', ...imageSchema(settings) })
    compiled.set(settings, schema)
  }
  const finding = check(schema, body)
  if (finding === undefined) return
  const where = finding.path === '' ? '' : `${finding.path}: `
  throw new Fault('invalid', `Provided object does not match schema 'image': ${where}${finding.problem}`, {
    path: finding.path,
  })
}
