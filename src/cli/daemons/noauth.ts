/**
 * Callers who are believed: `auth_strategy = noauth2` of nova and placement, `noauth` of neutron. For tests and for
 * networks where everybody may do everything.
 */
import type { AuthContext, TokenValidator } from '../../base/auth/context.ts'
import type { TokenSource } from '../../identity/client.ts'

type Strategy = 'noauth' | 'noauth2'

/**
 * With `noauth2` the token is `USER:PROJECT`, or `USER` for both; the user `admin` is an administrator, all others are
 * members of their project. `X-Roles`, where it is sent, says the roles instead, as placement has it. With `noauth`
 * everybody is an administrator, with a token or without. `ownToken` is what other services are called with, since a
 * caller's token says nothing to them.
 */
export function believingTokens(strategy: Strategy, ownToken?: TokenSource): TokenValidator {
  const believe = async (headers: Readonly<Record<string, string | string[] | undefined>>) => {
    const said = headers['x-auth-token']
    const token = typeof said === 'string' ? said : ''
    if (strategy === 'noauth2' && token === '') return undefined
    const [user = '', project = ''] = strategy === 'noauth' ? ['admin'] : token.split(/:(.*)/s)
    const roles = headers['x-roles']
    const known = strategy === 'noauth2' && typeof roles === 'string' ? rolesIn(roles) : rolesOf(user)
    return contextOf(user, project === '' ? user : project, known, (await ownToken?.()) ?? token)
  }
  return { believe, validate: (token) => believe({ 'x-auth-token': token }) }
}

const rolesIn = (roles: string): string[] =>
  roles
    .split(',')
    .map((role) => role.trim().toLowerCase())
    .filter((role) => role !== '')

const rolesOf = (user: string): string[] =>
  user === 'admin' ? ['admin', 'member', 'reader'] : ['member', 'reader']

const contextOf = (user: string, project: string, roles: string[], token: string): AuthContext => ({
  userId: user,
  userName: user,
  userDomainId: 'default',
  userDomainName: 'Default',
  projectId: project,
  projectName: project,
  projectDomainId: 'default',
  projectDomainName: 'Default',
  domainId: null,
  domainName: null,
  systemScope: false,
  roles,
  expiresAt: Number.POSITIVE_INFINITY,
  token,
})
