/** The people of a simulated cloud: made over Identity's API, each speaking to every API with a token of their own. */
import type { HttpCall, Send } from '../base/http/client.ts'
import type { ApiName } from '../cli/admin-client.ts'

export interface Answer {
  status: number
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into whatever JSON it gets.
  body: any
  headers: Readonly<Record<string, string>>
}

/** `compute('GET', '/servers')`: the API's version prefix is put before the path. */
export type Call = (
  method: HttpCall['method'],
  path: string,
  body?: unknown,
  headers?: Readonly<Record<string, string>>,
) => Promise<Answer>

export interface Person extends Record<ApiName, Call> {
  token(): Promise<string | undefined>
  projectId(): Promise<string>
}

type Sends = Readonly<Record<ApiName, Send>>

const prefixes: Readonly<Record<ApiName, string>> = {
  identity: '/v3',
  image: '/v2',
  placement: '',
  compute: '/v2.1',
  network: '/v2.0',
}

const newest: Partial<Record<ApiName, string>> = { compute: 'compute 2.96', placement: 'placement 1.39' }

const people = [
  { name: 'alice', project: 'alpha', role: 'member' },
  { name: 'adam', project: 'alpha', role: 'member' },
  { name: 'rita', project: 'alpha', role: 'reader' },
  { name: 'bob', project: 'beta', role: 'member' },
] as const

const projectOf = (name: string): string =>
  people.find((person) => person.name === name)?.project ?? (name === 'admin' ? 'admin' : 'service')

/** Makes projects alpha and beta with their users. */
export async function createPeople(sends: Sends, password: string): Promise<void> {
  const { identity } = peopleOf(() => sends, password)('admin')
  const make = async (path: string, body: Record<string, object>): Promise<string> => {
    const answer = await identity('POST', path, body)
    if (answer.status !== 201) throw new Error(`POST ${path}: ${JSON.stringify(answer.body)}`)
    return answer.body[Object.keys(body)[0]!].id
  }
  const roles = new Map<string, string>()
  for (const role of (await identity('GET', '/roles')).body.roles) roles.set(role.name, role.id)
  const projects = new Map<string, string>()
  for (const { name, project, role } of people) {
    if (!projects.has(project)) projects.set(project, await make('/projects', { project: { name: project } }))
    const user = await make('/users', { user: { name, password } })
    await identity('PUT', `/projects/${projects.get(project)}/users/${user}/roles/${roles.get(role)}`)
  }
}

/** Gives the person of a name; each logs in once, when first needed. `nobody` sends no token. */
export function peopleOf(sends: () => Sends, password: string): (name: string) => Person {
  const logins = new Map<string, Promise<{ token: string; projectId: string }>>()
  const login = (name: string) => {
    const known = logins.get(name) ?? logIn(sends().identity, name, password)
    logins.set(name, known)
    // Identity may not be there yet.
    known.catch(() => logins.delete(name))
    return known
  }
  return (name) => {
    const token = async () => (name === 'nobody' ? undefined : (await login(name)).token)
    const call =
      (api: ApiName): Call =>
      async (method, path, body, headers = {}) => {
        const all: Record<string, string> = { accept: 'application/json' }
        const version = newest[api]
        if (version !== undefined) all['openstack-api-version'] = version
        const held = await token()
        if (held !== undefined) all['x-auth-token'] = held
        const request: HttpCall = { method, path: prefixes[api] + path, headers: { ...all, ...headers } }
        if (body !== undefined) request.body = body
        const { status, headers: replied, body: answer } = await sends()[api](request)
        return { status, body: answer, headers: replied }
      }
    return {
      token,
      projectId: async () => (await login(name)).projectId,
      identity: call('identity'),
      image: call('image'),
      placement: call('placement'),
      compute: call('compute'),
      network: call('network'),
    }
  }
}

async function logIn(
  identity: Send,
  name: string,
  password: string,
): Promise<{ token: string; projectId: string }> {
  const domain = { id: 'default' }
  const reply = await identity({
    method: 'POST',
    path: '/v3/auth/tokens',
    body: {
      auth: {
        identity: { methods: ['password'], password: { user: { name, domain, password } } },
        scope: { project: { name: projectOf(name), domain } },
      },
    },
  })
  const token = reply.headers['x-subject-token']
  if (reply.status !== 201 || token === undefined)
    throw new Error(`${name} cannot log in: ${JSON.stringify(reply.body)}`)
  const { project } = (reply.body as { token: { project: { id: string } } }).token
  return { token, projectId: project.id }
}
