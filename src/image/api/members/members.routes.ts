import { showSeconds } from '../../../base/clock.ts'
import { Fault } from '../../../base/errors.ts'
import type { ApiRequest, Route } from '../../../base/http/route.ts'
import { getImage, type Image } from '../../store/images.ts'
import { deleteMember, insertMember, listMembers, setMemberStatus } from '../../store/members.ts'
import type { MemberRow } from '../../store/tables.ts'
import type { ImageDeps } from '../deps.ts'
import { targetOf, viewerOf } from '../images/lookup.ts'
import { assertCount } from '../images/quotas.ts'

export const memberRoutes: readonly Route<ImageDeps>[] = [
  { get: '/v2/images/:id/members', policy: 'default', handler: showMembers },
  { post: '/v2/images/:id/members', policy: 'default', handler: addMember, status: 200 },
  { get: '/v2/images/:id/members/:member', policy: 'default', handler: showMember },
  { put: '/v2/images/:id/members/:member', policy: 'default', handler: updateMember },
  { delete: '/v2/images/:id/members/:member', policy: 'default', handler: removeMember },
]

const statuses = ['pending', 'accepted', 'rejected']

const memberView = (row: MemberRow) => ({
  member_id: row.member,
  image_id: row.image_id,
  status: row.status,
  created_at: showSeconds(row.created_at),
  updated_at: showSeconds(row.updated_at),
  schema: '/v2/schemas/member',
})

async function showMembers(request: ApiRequest, { db }: ImageDeps) {
  const image = await sharedImage(request, db)
  const { projectId, isAdmin } = viewerOf(request)
  const seesAll = isAdmin || image.owner === projectId
  const members = await listMembers(db, image.id, seesAll ? undefined : (projectId ?? ''))
  if (!request.can('get_members', targetOf(image, projectId ?? undefined)))
    throw new Fault('forbidden', `Not allowed to list members for image ${image.id}.`)
  return { members: members.map(memberView), schema: '/v2/schemas/members' }
}

async function showMember(request: ApiRequest, { db }: ImageDeps) {
  const image = await getImage(db, request.params['id']!, viewerOf(request))
  if (image.visibility !== 'shared') throw new Fault('not-found', 'Only shared images have members.')
  return memberView(await getMember(request, db, image))
}

async function addMember(request: ApiRequest, { db, settings }: ImageDeps) {
  const member = readField(request.body, 'member', 'Member to be added not specified')
  if (member === '') throw new Fault('invalid', "Member can't be empty")
  if (member.length > 255) throw new Fault('invalid', 'A member may have 255 characters at most.')
  const image = await sharedImage(request, db)
  if (!request.can('add_member', targetOf(image)))
    throw new Fault('forbidden', `Not allowed to create members for image ${image.id}.`)
  const present = await listMembers(db, image.id)
  assertCount('members', present.length + 1, settings.imageMemberQuota)
  return memberView(await insertMember(db, image.id, member))
}

async function updateMember(request: ApiRequest, { db }: ImageDeps) {
  const status = readField(request.body, 'status', 'Status not specified')
  const image = await sharedImage(request, db)
  const member = await getMember(request, db, image)
  // Whether it takes part is for the member to say, not for the owner.
  if (!request.can('modify_member', targetOf(image, member.member)))
    throw new Fault('forbidden', `Not allowed to update members for image ${image.id}.`)
  if (!statuses.includes(status))
    throw new Fault('invalid', `Incorrect request: Status must be one of ${statuses.join(', ')}.`)
  await setMemberStatus(db, member.id, status)
  return memberView((await listMembers(db, image.id, member.member))[0]!)
}

async function removeMember(request: ApiRequest, { db }: ImageDeps): Promise<void> {
  const image = await sharedImage(request, db)
  const member = await getMember(request, db, image)
  if (!request.can('delete_member', targetOf(image)))
    throw new Fault('forbidden', `Not allowed to delete members for image ${image.id}.`)
  await deleteMember(db, member.id)
}

async function sharedImage(request: ApiRequest, db: ImageDeps['db']): Promise<Image> {
  const image = await getImage(db, request.params['id']!, viewerOf(request))
  if (image.visibility !== 'shared') throw new Fault('forbidden', 'Only shared images have members.')
  return image
}

// The owner and admins see every member; a member sees itself.
async function getMember(request: ApiRequest, db: ImageDeps['db'], image: Image): Promise<MemberRow> {
  const id = request.params['member']!
  const { projectId, isAdmin } = viewerOf(request)
  const visible = isAdmin || image.owner === projectId || id === projectId
  const [member] = visible ? await listMembers(db, image.id, id) : []
  if (member !== undefined && request.can('get_member', targetOf(image, projectId ?? undefined)))
    return member
  throw new Fault('not-found', `${id} not found in the member list of the image ${image.id}.`)
}

function readField(body: unknown, name: string, missing: string): string {
  if (body === undefined) throw new Fault('invalid', 'Body expected in request.')
  if (body === null || typeof body !== 'object' || Array.isArray(body))
    throw new Fault('invalid', `Expected a ${name} in the form: {"${name}": "…"}`)
  const value = (body as Record<string, unknown>)[name]
  if (value === undefined) throw new Fault('invalid', missing)
  if (typeof value !== 'string') throw new Fault('invalid', `The ${name} must be a string.`)
  return value
}
