/** Names that users may not give to properties of images. */
const readOnly = new Set([
  'created_at',
  'updated_at',
  'status',
  'checksum',
  'size',
  'virtual_size',
  'direct_url',
  'self',
  'file',
  'schema',
  'id',
  'stores',
  'os_hash_algo',
  'os_hash_value',
])
const reserved = new Set(['location', 'deleted', 'deleted_at'])

export const isReadOnly = (name: string): boolean => readOnly.has(name)

/** Names of the service's own; all of `os_glance_…` too. */
export const isReserved = (name: string): boolean => reserved.has(name) || name.startsWith('os_glance')
