/** Who makes a request, as its token says: what policies are checked against and stores filter by. */
export interface AuthContext {
  userId: string
  userName: string
  userDomainId: string
  userDomainName: string
  /** Null unless the token is scoped to a project. */
  projectId: string | null
  projectName: string | null
  projectDomainId: string | null
  projectDomainName: string | null
  /** The domain the token is scoped to. */
  domainId: string | null
  domainName: string | null
  /** True for a token scoped to the whole deployment (`system: all`). */
  systemScope: boolean
  /** Role names with what they imply, lower case. */
  roles: readonly string[]
  /** Milliseconds since the epoch. */
  expiresAt: number
  /** The token itself, to call other services on the user's behalf. */
  token: string
  /** What an application credential may ask for; undefined: whatever its roles allow. */
  accessRules?: readonly AccessRule[] | undefined
  /** Identity's own facts about the token (methods, audit ids, application credential); other services don't look. */
  extra?: Readonly<Record<string, unknown>>
}

/** A request that an application credential may make. */
export interface AccessRule {
  /** The service's type: `compute`. */
  service: string
  method: string
  /** `/v2.1/servers/{id}`: `*` and `{…}` stand for one part of a path, `**` for any number. */
  path: string
}

/** Checks tokens; undefined for one that is forged, expired or revoked. */
export interface TokenValidator {
  validate(token: string): Promise<AuthContext | undefined>
  /** Where identity is not asked who callers are (`auth_strategy`): what the headers of a request say. */
  believe?(headers: Readonly<Record<string, string | string[] | undefined>>): Promise<AuthContext | undefined>
}

/** What a request is checked with; `policy/` makes one from rules in oslo.policy's language. */
export interface PolicyChecker {
  check(rule: string, target: Readonly<Record<string, unknown>>, credentials: AuthContext): boolean
}
