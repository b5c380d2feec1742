/** Tokens of people that tests know by name, for tests of one service without an Identity service. */
import type { AuthContext, TokenValidator } from '../base/auth/context.ts'

interface Person {
  name: string
  project: string
  roles: readonly string[]
}

const people: readonly Person[] = [
  { name: 'admin', project: 'admin', roles: ['admin', 'member', 'reader'] },
  { name: 'service', project: 'service', roles: ['admin', 'member', 'reader', 'service'] },
  { name: 'alice', project: 'alpha', roles: ['member', 'reader'] },
  { name: 'adam', project: 'alpha', roles: ['member', 'reader'] },
  { name: 'rita', project: 'alpha', roles: ['reader'] },
  { name: 'bob', project: 'beta', roles: ['member', 'reader'] },
]

/** The id of a person's project or user: 32 hex digits made of the name, so that a test can write it down. */
export const idOf = (name: string): string => Buffer.from(name.padEnd(16, '.')).toString('hex').slice(0, 32)

/** Accepts the name of a person as that person's token: `x-auth-token: alice`. */
export const peopleTokens: TokenValidator = {
  async validate(token) {
    const person = people.find(({ name }) => name === token)
    return person === undefined ? undefined : contextOf(person)
  },
}

const contextOf = ({ name, project, roles }: Person): AuthContext => ({
  userId: idOf(name),
  userName: name,
  userDomainId: 'default',
  userDomainName: 'Default',
  projectId: idOf(project),
  projectName: project,
  projectDomainId: 'default',
  projectDomainName: 'Default',
  domainId: null,
  domainName: null,
  systemScope: false,
  roles,
  expiresAt: Number.MAX_SAFE_INTEGER,
  token: name,
})
