/** Finds the image of a request and settles what the caller may do with it. */
import { Fault } from '../../../base/errors.ts'
import type { ApiRequest } from '../../../base/http/route.ts'
import { getImage, type Image, type ImageDb, lockImage, type Viewer } from '../../store/images.ts'
import type { imagePolicies } from '../policies.ts'

export type ImageRule = keyof typeof imagePolicies

type Request = Pick<ApiRequest, 'can' | 'context' | 'params'>

export const viewerOf = (request: Request): Viewer => ({
  projectId: request.context.projectId,
  isAdmin: request.can('context_is_admin'),
})

/** What image policies look at. */
export const targetOf = (image: Pick<Image, 'owner' | 'visibility'>, memberId?: string) => ({
  project_id: image.owner,
  owner: image.owner,
  visibility: image.visibility,
  ...(memberId === undefined ? {} : { member_id: memberId }),
})

/** The image of the request's `:id` as the caller may see it; else it is not found. */
export async function requestedImage(request: Request, db: ImageDb): Promise<Image> {
  const id = request.params['id']!
  const image = await getImage(db, id, viewerOf(request))
  if (!request.can('get_image', targetOf(image, request.context.projectId ?? undefined)))
    throw new Fault('not-found', `No image found with ID ${id}`, { id })
  return image
}

/** The same, for a change in this transaction: who else changes the image waits until this one ended. */
export async function imageToChange(request: Request, transaction: ImageDb): Promise<Image> {
  await lockImage(transaction, request.params['id']!)
  return await requestedImage(request, transaction)
}

/** Throws `forbidden` unless the rule allows the caller to do it to this image. */
export function authorizeImage(
  request: Request,
  image: Pick<Image, 'owner' | 'visibility'>,
  rule: ImageRule,
): void {
  if (request.can(rule, targetOf(image))) return
  throw new Fault('forbidden', `You are not authorized to complete ${rule} action.`, { rule })
}

/** Throws `forbidden` when the caller may not give images that visibility. */
export function authorizeVisibility(request: Request, image: Pick<Image, 'owner'>, visibility: string): void {
  const target = { owner: image.owner, visibility }
  if (visibility === 'public') authorizeImage(request, target, 'publicize_image')
  if (visibility === 'community') authorizeImage(request, target, 'communitize_image')
}
