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
  if (config.authStrategy?.startsWith('noauth') === true) {
    throw new Fault(
      'invalid',
      `auth_strategy = ${config.authStrategy} would let in everybody: it is for keystone only.`,
    )
  }
  const settings = authtokenOf(config)
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
