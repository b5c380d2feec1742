import type { TokenValidator } from '../../base/auth/context.ts'
import { type AuthtokenSettings, authtokenOf, type keystoneAuthtoken } from '../../base/config/common/auth.ts'
import type { Config } from '../../base/config/option.ts'
import { Fault } from '../../base/errors.ts'
import type { Send } from '../../base/http/client.ts'
import { remoteValidator, type TokenSource } from '../../identity/client.ts'
import { identityAt, tokenSourceOf } from './clients.ts'

export interface Authtoken {
  settings: AuthtokenSettings
  /** Checks what callers bring, by asking identity. */
  tokens: TokenValidator
  /** Where callers without a token are sent. */
  identityUri: string
  identity: Send
  /** Of the service's own user. */
  token: TokenSource
}

/** `[keystone_authtoken]`: how an API knows its callers. */
export function authtokenFrom(
  config: Config<typeof keystoneAuthtoken> & { authStrategy?: string },
): Authtoken {
  if (config.authStrategy?.startsWith('noauth') === true) {
    throw new Fault(
      'invalid',
      `auth_strategy = ${config.authStrategy} would let in everybody: it is for keystone only.`,
    )
  }
  const settings = authtokenOf(config)
  const identity = identityAt('keystone_authtoken', settings)
  const token = tokenSourceOf('keystone_authtoken', settings, identity)
  return {
    settings,
    identity,
    token,
    tokens: remoteValidator(identity, token, {
      // keystonemiddleware's default is 300; a revoked token must not live on so long.
      cacheSeconds: settings.tokenCacheTime < 0 ? 0 : Math.min(settings.tokenCacheTime, 30),
    }),
    identityUri: settings.wwwAuthenticateUri ?? settings.authUrl ?? '',
  }
}
