/** A trustee may hand on what it was trusted with, where the trust says so, and never more of it. */
import type { TrustRow } from '../../store/trusts.ts'
import { forbiddenAction } from '../delegation.ts'
import type { TrustBody } from './trusts.routes.ts'

export function redelegated(source: TrustRow, wanted: TrustRow, body: TrustBody): TrustRow {
  if (source.redelegation_count < 1) throw forbiddenAction('Redelegation allowed count exceeded')
  if (wanted.remaining_uses !== null) {
    throw forbiddenAction('remaining_uses must not be set if redelegation is allowed')
  }
  const asked = body.redelegation_count ?? undefined
  if (asked !== undefined && asked >= source.redelegation_count) {
    throw forbiddenAction(
      `Remaining redelegation depth of ${asked} is out of allowed range of [0..${source.redelegation_count - 1}]`,
    )
  }
  if (source.impersonation === 0 && wanted.impersonation === 1) {
    throw forbiddenAction(
      'Impersonation is not allowed because redelegated trust does not specify impersonation',
    )
  }
  const given: string[] = JSON.parse(source.role_ids)
  if ((JSON.parse(wanted.role_ids) as string[]).some((id) => !given.includes(id))) {
    throw forbiddenAction('Some of requested roles are not in redelegated trust')
  }
  if (source.project_id !== wanted.project_id) {
    throw forbiddenAction('The project differs from that of the redelegated trust')
  }
  const until = source.expires_at
  if (until !== null && wanted.expires_at !== null && wanted.expires_at > until) {
    throw forbiddenAction('Requested expiration time is more than redelegated trust can provide')
  }
  return {
    ...wanted,
    expires_at: wanted.expires_at ?? until,
    redelegated_trust_id: source.id,
    redelegation_count: body.allow_redelegation === false ? 0 : (asked ?? source.redelegation_count - 1),
  }
}
