import type { TokenValidator } from '../../base/auth/context.ts'
import { type AuthtokenSettings, authtokenOf, type keystoneAuthtoken } from '../../base/config/common/auth.ts'
import type { Config } from '../../base/config/option.ts'
import { Fault } from '../../base/errors.ts'
import type { Send } from '../../base/http/client.ts'
import type { Logger } from '../../base/log.ts'
import { memcachedTokenCache } from '../../identity/client/memcached.ts'
import type { Strategy } from '../../identity/client/sealed.ts'
import type { SharedTokenCache } from '../../identity/client/token-cache.ts'
import { remoteValidator, type TokenSource } from '../../identity/client.ts'
import { identityAt, tokenSourceOf } from './clients.ts'
import { believingTokens } from './noauth.ts'

interface AuthtokenContext {
  config: Config<typeof keystoneAuthtoken> & { authStrategy?: string }
  log: Logger
}

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

/** `[keystone_authtoken]`: how an API knows its callers; what it holds open ends with `undo`. */
export function authtokenFrom(
  { config, log }: AuthtokenContext,
  undo: Pick<AsyncDisposableStack, 'defer'>,
): Authtoken {
  const settings = authtokenOf(config)
  const strategy = config.authStrategy
  if (strategy === 'noauth' || strategy === 'noauth2') return believing(strategy, settings, log)
  const identity = identityAt('keystone_authtoken', settings)
  const token = tokenSourceOf('keystone_authtoken', settings, identity)
  const shared = sharedCacheOf(settings, log)
  undo.defer(() => shared?.[Symbol.dispose]())
  return {
    settings,
    identity,
    token,
    tokens: remoteValidator(identity, token, {
      // keystonemiddleware's default is 300; a revoked token must not live on so long.
      cacheSeconds: settings.tokenCacheTime < 0 ? 0 : Math.min(settings.tokenCacheTime, 30),
      ...(shared === undefined ? {} : { shared }),
    }),
    identityUri: settings.wwwAuthenticateUri ?? settings.authUrl ?? '',
  }
}

/** Identity, where the section names it all the same, is asked for the token that other services are called with. */
function believing(strategy: 'noauth' | 'noauth2', settings: AuthtokenSettings, log: Logger): Authtoken {
  log.warn(`auth_strategy = ${strategy}: every caller is believed to be who they say they are`)
  const isAlone = settings.authUrl === null
  const identity: Send = isAlone
    ? async () => identityAt('keystone_authtoken', settings)({ method: 'GET', path: '/' })
    : identityAt('keystone_authtoken', settings)
  const token: TokenSource = isAlone
    ? async () => 'admin:admin'
    : tokenSourceOf('keystone_authtoken', settings, identity)
  const tokens = believingTokens(strategy, isAlone ? undefined : token)
  return { settings, identity, token, tokens, identityUri: settings.wwwAuthenticateUri ?? '' }
}

function sharedCacheOf(settings: AuthtokenSettings, log: Logger): SharedTokenCache | undefined {
  const { memcachedServers: servers, memcacheSecurityStrategy, memcacheSecretKey } = settings
  if (servers.length === 0) return undefined
  return memcachedTokenCache({
    servers,
    strategy: strategyOf(memcacheSecurityStrategy, memcacheSecretKey),
    log,
    deadRetrySeconds: settings.memcachePoolDeadRetry,
    timeoutSeconds: settings.memcachePoolSocketTimeout,
  })
}

function strategyOf(wanted: 'None' | 'MAC' | 'ENCRYPT', secret: string | null): Strategy {
  if (wanted === 'None') return { kind: 'none' }
  if (secret !== null) return { kind: wanted === 'MAC' ? 'mac' : 'encrypt', secret }
  throw new Fault(
    'invalid',
    `[keystone_authtoken] memcache_security_strategy = ${wanted} needs memcache_secret_key, the same in all services.`,
  )
}
