import { authtokenOf, type keystoneAuthtoken } from '../../base/config/common/auth.ts'
import type { Config } from '../../base/config/option.ts'
import type { Send } from '../../base/http/client.ts'
import { identityAt, tokenSourceOf } from '../daemons/clients.ts'

/** Identity as `[keystone_authtoken]` says, called as its user. */
export function identityOf(config: Config<typeof keystoneAuthtoken>): Send {
  const section = 'keystone_authtoken'
  const settings = authtokenOf(config)
  const identity = identityAt(section, settings)
  const token = tokenSourceOf(section, settings, identity)
  return async (call) =>
    await identity({ ...call, headers: { ...call.headers, 'x-auth-token': await token() } })
}
