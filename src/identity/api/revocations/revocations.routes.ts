/** What ended tokens early, and what is left of the API for the signed tokens of old. */
import { Fault } from '#base/errors.ts'
import type { Route } from '#base/http/route.ts'
import { listRevocations, type Revocation } from '../../store/revocations.ts'
import { queried } from '../collection.ts'
import type { IdentityDeps, IdentityRoute } from '../identity-route.ts'

/** Only what narrows the event down is shown. */
function eventView(event: Revocation): Record<string, unknown> {
  const { user_id, project_id, domain_id, audit_id, audit_chain_id, issued_before } = event
  const narrows = Object.entries({ user_id, project_id, domain_id, audit_id, audit_chain_id })
  return {
    ...Object.fromEntries(narrows.filter(([, value]) => value !== null)),
    issued_before: issued_before.replace('Z', '000Z'),
  }
}

export const revocationRoutes: readonly IdentityRoute[] = [
  {
    get: '/v3/OS-REVOKE/events',
    rule: 'identity:list_revoke_events',
    async handler(request, deps) {
      const since = queried(request, 'since')
      const from = since === undefined ? 0 : Date.parse(since)
      if (Number.isNaN(from)) throw new Fault('invalid', `invalid date format ${since}`)
      const events = (await listRevocations(deps.db)).filter((event) => Date.parse(event.revoked_at) >= from)
      const self = `${request.origin}/v3/OS-REVOKE/events`
      return { events: events.map(eventView), links: { next: null, self, previous: null } }
    },
  },
]

const signedTokens = 'This API is no longer available due to the removal of support for PKI tokens.'

/** Keystone answers these without asking for a token. */
export const signedTokenRoutes: readonly Route<IdentityDeps>[] = [
  ...['ca', 'certificates'].map(
    (name): Route<IdentityDeps> => ({
      get: `/v3/OS-SIMPLE-CERT/${name}`,
      policy: null,
      handler() {
        throw new Fault('gone', signedTokens)
      },
    }),
  ),
  {
    get: '/v3/auth/tokens/OS-PKI/revoked',
    policy: null,
    handler() {
      throw new Fault('forbidden', 'You are not authorized to perform the requested action.')
    },
  },
]
