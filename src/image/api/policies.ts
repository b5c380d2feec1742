/** Default rules, in oslo.policy's language; an operator's policy file overrides them by name. */
const ownProject = 'project_id:%(project_id)s'
const seen =
  `(${ownProject} or project_id:%(member_id)s or 'community':%(visibility)s or ` +
  `'public':%(visibility)s or 'shared':%(visibility)s)`

const adminOrMember = `role:admin or (role:member and ${ownProject})`
const adminOrReader = `role:admin or (role:reader and ${ownProject})`
const readerOrSharedMember = `role:admin or (role:reader and (${ownProject} or project_id:%(member_id)s))`

const readerOrPublic = `role:admin or (role:reader and (${ownProject} or 'public':%(visibility)s))`

export const imagePolicies = {
  default: '',
  context_is_admin: 'role:admin',
  add_image: `role:admin or (role:member and ${ownProject} and project_id:%(owner)s)`,
  delete_image: adminOrMember,
  get_image: `role:admin or (role:reader and ${seen})`,
  get_images: adminOrReader,
  modify_image: adminOrMember,
  publicize_image: 'role:admin',
  communitize_image: adminOrMember,
  download_image: `role:admin or (role:member and ${seen})`,
  upload_image: adminOrMember,
  delete_image_location: 'role:admin',
  get_image_location: adminOrReader,
  set_image_location: adminOrMember,
  add_member: adminOrMember,
  delete_member: adminOrMember,
  get_member: readerOrSharedMember,
  get_members: readerOrSharedMember,
  modify_member: `role:admin or (role:member and project_id:%(member_id)s)`,
  manage_image_cache: 'role:admin',
  deactivate: adminOrMember,
  reactivate: adminOrMember,
  copy_image: 'role:admin',
  stores_info_detail: 'role:admin',
  tasks_api_access: 'role:admin',
  metadef_admin: 'role:admin',
  get_metadef_namespace: readerOrPublic,
  get_metadef_namespaces: adminOrReader,
  add_metadef_namespace: 'rule:metadef_admin',
  modify_metadef_namespace: 'rule:metadef_admin',
  delete_metadef_namespace: 'rule:metadef_admin',
  get_metadef_objects: readerOrPublic,
  get_metadef_object: readerOrPublic,
  add_metadef_object: 'rule:metadef_admin',
  modify_metadef_object: 'rule:metadef_admin',
  delete_metadef_object: 'rule:metadef_admin',
  get_metadef_properties: readerOrPublic,
  get_metadef_property: readerOrPublic,
  add_metadef_property: 'rule:metadef_admin',
  modify_metadef_property: 'rule:metadef_admin',
  remove_metadef_property: 'rule:metadef_admin',
  get_metadef_tags: readerOrPublic,
  get_metadef_tag: readerOrPublic,
  add_metadef_tag: 'rule:metadef_admin',
  add_metadef_tags: 'rule:metadef_admin',
  modify_metadef_tag: 'rule:metadef_admin',
  delete_metadef_tag: 'rule:metadef_admin',
  delete_metadef_tags: 'rule:metadef_admin',
  list_metadef_resource_types: readerOrPublic,
  get_metadef_resource_type: readerOrPublic,
  add_metadef_resource_type_association: 'rule:metadef_admin',
  remove_metadef_resource_type_association: 'rule:metadef_admin',
} as const satisfies Record<string, string>
