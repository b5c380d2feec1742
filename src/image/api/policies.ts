/** Default rules, in oslo.policy's language; an operator's policy file overrides them by name. */
const ownProject = 'project_id:%(project_id)s'
const seen =
  `(${ownProject} or project_id:%(member_id)s or 'community':%(visibility)s or ` +
  `'public':%(visibility)s or 'shared':%(visibility)s)`

const adminOrMember = `role:admin or (role:member and ${ownProject})`
const adminOrReader = `role:admin or (role:reader and ${ownProject})`
const readerOrSharedMember = `role:admin or (role:reader and (${ownProject} or project_id:%(member_id)s))`

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
} as const satisfies Record<string, string>
