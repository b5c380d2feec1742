import { Fault } from '#base/errors.ts'
import type { IdentityRequest } from './identity-route.ts'

/** The domain of a new thing whose body names none: that which the token is scoped to or that of its project. */
export function ownDomainId(request: IdentityRequest): string {
  const { domainId, projectDomainId } = request.context
  const own = domainId ?? projectDomainId
  if (own !== null) return own
  throw new Fault(
    'invalid',
    'A domain-scoped token or a domain_id is required for this request: the token is scoped to neither a domain nor a project.',
  )
}
