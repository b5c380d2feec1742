/** The image database: OpenStack's table and column names. */
import type { Generated, Selectable } from 'kysely'

export interface ImagesTable {
  id: string
  name: string | null
  size: number | null
  virtual_size: number | null
  status: string
  visibility: string
  checksum: string | null
  os_hash_algo: string | null
  os_hash_value: string | null
  owner: string | null
  disk_format: string | null
  container_format: string | null
  min_disk: number
  min_ram: number
  protected: number
  os_hidden: number
  created_at: string
  updated_at: string
  deleted_at: string | null
  deleted: number
}

export interface ImageTables {
  images: ImagesTable
  image_properties: { id: Generated<number>; image_id: string; name: string; value: string }
  image_tags: { id: Generated<number>; image_id: string; value: string }
  image_members: {
    id: Generated<number>
    image_id: string
    member: string
    status: string
    created_at: string
    updated_at: string
  }
  tasks: {
    id: string
    type: string
    status: string
    owner: string
    image_id: string
    request_id: string
    user_id: string
    expires_at: string | null
    created_at: string
    updated_at: string
  }
  metadef_namespaces: {
    id: Generated<number>
    namespace: string
    display_name: string | null
    description: string | null
    visibility: string
    protected: number
    owner: string
    created_at: string
    updated_at: string
  }
  metadef_objects: MetadefItemsTable
  metadef_properties: MetadefItemsTable
  metadef_tags: MetadefItemsTable
  metadef_resource_types: { id: Generated<number>; name: string; created_at: string; updated_at: string }
  metadef_namespace_resource_types: {
    namespace_id: number
    resource_type_id: number
    properties_target: string | null
    prefix: string | null
    created_at: string
    updated_at: string
  }
  task_info: { task_id: string; input: string; result: string | null; message: string }
}

export interface MetadefItemsTable {
  id: Generated<number>
  namespace_id: number
  name: string
  /** All but the name, as JSON. */
  json_schema: string
  created_at: string
  updated_at: string
}

export type NamespaceRow = Selectable<ImageTables['metadef_namespaces']>
export type MetadefItemRow = Selectable<MetadefItemsTable>
export type ImageRow = Selectable<ImagesTable>
export type MemberRow = Selectable<ImageTables['image_members']>
export type TaskRow = Selectable<ImageTables['tasks']> & Selectable<ImageTables['task_info']>
