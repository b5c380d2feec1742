import { timestamp } from '#base/clock.ts'
import { inTransaction } from '#base/db/transaction.ts'
import { Fault } from '#base/errors.ts'
import type { Route } from '#base/http/route.ts'
import { parseObject } from '../../store/extra.ts'
import { findUser, setPassword } from '../../store/users.ts'
import { refused } from '../../tokens/standing.ts'
import { assertBody, type IdentityDeps, type IdentityRequest } from '../identity-route.ts'
import { passwordChange } from './user.ts'

/** Whoever knows the old password may change it, also one who can no longer get a token with it. */
export const passwordRoute: Route<IdentityDeps> = {
  post: '/v3/users/:user_id/password',
  policy: null,
  async handler(
    request: IdentityRequest<{ user?: { original_password: string; password: string } } | undefined>,
    deps,
  ) {
    const body = request.body?.user ?? {}
    assertBody(passwordChange, body)
    const { original_password, password } = body as { original_password: string; password: string }
    const user = await findUser(deps.db, request.params['user_id']!)
    const right = await deps.passwords.verify(original_password, user?.password_hash)
    if (user === undefined || !right || user.enabled === 0) throw refused('The original password is wrong.')
    if (parseObject(user.options)['lock_password'] === true) {
      throw new Fault(
        'invalid',
        'You cannot change your password at this time due to password policy disallowing password changes. Please contact your administrator to reset your password.',
      )
    }
    const hash = await deps.passwords.hash(password)
    await inTransaction(deps.db, (transaction) =>
      setPassword(transaction, user.id, { hash, at: timestamp(deps.clock) }),
    )
    await deps.state.revoke({ user_id: user.id })
    return undefined
  },
}
