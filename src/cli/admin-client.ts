/** The administrator's way to the cloud's APIs, for commands and for what the first start makes. */
import { Fault } from '../base/errors.ts'
import type { HttpCall, Send } from '../base/http/client.ts'
import { sendByHttp } from '../base/http/send-by-http.ts'
import { type CloudSecrets, type CloudSettings, urlOf } from './up/settings.ts'

export type ApiName = 'identity' | 'image' | 'placement' | 'compute' | 'network'

export interface AdminClient {
  /** The id of the project the administrator works in. */
  projectId: string
  /** Sends a request and returns the parsed body; a status of 400 and above is a Fault with what the API said. */
  call<T = unknown>(api: ApiName, method: HttpCall['method'], path: string, body?: unknown): Promise<T>
}

/** The newest that Zed has: a service may be the original one. */
const versionHeaders: Partial<Record<ApiName, string>> = {
  compute: 'compute 2.93',
  placement: 'placement 1.39',
}

/** Logs in as the administrator. `sends` reaches each API, by HTTP or in process. */
export async function adminClient(
  sends: Readonly<Record<ApiName, Send>>,
  password: string,
): Promise<AdminClient> {
  const identity = {
    methods: ['password'],
    password: { user: { name: 'admin', domain: { id: 'default' }, password } },
  }
  const scope = { project: { name: 'admin', domain: { id: 'default' } } }
  const login = await sends.identity({
    method: 'POST',
    path: '/v3/auth/tokens',
    body: { auth: { identity, scope } },
  })
  const token = login.headers['x-subject-token']
  if (login.status !== 201 || token === undefined) {
    throw new Fault('unauthenticated', `The administrator cannot log in: ${JSON.stringify(login.body)}`)
  }
  return {
    projectId: (login.body as { token: { project: { id: string } } }).token.project.id,
    async call<T>(api: ApiName, method: HttpCall['method'], path: string, body?: unknown): Promise<T> {
      const headers: Record<string, string> = { 'x-auth-token': token }
      const version = versionHeaders[api]
      if (version !== undefined) headers['openstack-api-version'] = version
      const reply = await sends[api]({ method, path, headers, ...(body === undefined ? {} : { body }) })
      if (reply.status >= 400) {
        const kind = reply.status === 404 ? 'not-found' : reply.status === 409 ? 'conflict' : 'unavailable'
        throw new Fault(
          kind,
          `${method} ${path} on ${api}: HTTP ${reply.status} ${JSON.stringify(reply.body)}`,
        )
      }
      return reply.body as T
    },
  }
}

/** An administrator's client for a cloud that runs in another process. */
export function remoteAdminClient(settings: CloudSettings, secrets: CloudSecrets): Promise<AdminClient> {
  const send = (api: ApiName) => sendByHttp(urlOf(settings, api))
  return adminClient(
    {
      identity: send('identity'),
      image: send('image'),
      placement: send('placement'),
      compute: send('compute'),
      network: send('network'),
    },
    secrets.adminPassword,
  )
}
