/** The services that a program calls: who it is there, and where they are. */
import type { AdapterSettings, AuthSettings, SessionSettings } from '../../base/config/common/auth.ts'
import { Fault } from '../../base/errors.ts'
import type { HttpCall, Send } from '../../base/http/client.ts'
import { type HttpOptions, sendByHttp } from '../../base/http/send-by-http.ts'
import {
  authenticator,
  findEndpoint,
  type ServiceCredentials,
  type TokenSource,
  withFreshToken,
} from '../../identity/client.ts'

/** A service as one of our service users calls it. */
export interface ServiceCaller {
  send: Send
  token: TokenSource
}

const httpOptions = (session: SessionSettings): HttpOptions => ({
  ...(session.cafile === null ? {} : { caFile: session.cafile }),
  ...(session.certfile === null ? {} : { certFile: session.certfile }),
  ...(session.keyfile === null ? {} : { keyFile: session.keyfile }),
  insecure: session.insecure,
})

/** Identity at an `auth_url`, which may name a version. `section` is where the setting belongs. */
export function identityAt(section: string, settings: AuthSettings & SessionSettings): Send {
  const { authUrl } = settings
  if (authUrl === null) {
    throw new Fault(
      'invalid',
      `[${section}] auth_url is not set. It says where identity is: http://controller:5000`,
    )
  }
  return sendByHttp(authUrl.replace(/\/v(2\.0|3)\/?$/, ''), httpOptions(settings))
}

/** Logs in with what a section says: a password, or an application credential. */
export function tokenSourceOf(section: string, settings: AuthSettings, identity: Send): TokenSource {
  if (settings.token !== null && (settings.authType ?? '').endsWith('token')) {
    const { token } = settings
    return async () => token
  }
  return authenticator(identity, credentialsOf(section, settings))
}

function credentialsOf(section: string, settings: AuthSettings): ServiceCredentials {
  const need = (name: string, value: string | null): string => {
    if (value !== null) return value
    throw new Fault('invalid', `[${section}] ${name} is not set: the program cannot log in to identity.`)
  }
  const domainId = settings.defaultDomainId
  const domainName = settings.defaultDomainName
  const user = {
    id: settings.userId,
    name: settings.username,
    domainId: settings.userDomainId ?? (settings.userDomainName === null ? domainId : null),
    domainName: settings.userDomainName ?? domainName,
  }
  if (settings.authType === 'v3applicationcredential') {
    return {
      kind: 'application credential',
      id: settings.applicationCredentialId,
      name: settings.applicationCredentialName,
      secret: need('application_credential_secret', settings.applicationCredentialSecret),
      user,
    }
  }
  if (user.id === null) need('username', user.name)
  const isSystem = settings.systemScope === 'all'
  if (!isSystem && settings.projectId === null) need('project_name', settings.projectName)
  return {
    kind: 'password',
    user,
    password: need('password', settings.password),
    scope: isSystem
      ? { kind: 'system' }
      : {
          kind: 'project',
          id: settings.projectId,
          name: settings.projectName,
          domainId: settings.projectDomainId ?? (settings.projectDomainName === null ? domainId : null),
          domainName: settings.projectDomainName ?? domainName,
        },
  }
}

/** Where a service is reached: the addresses that are set, tried in turn, else as the catalog says. */
export function sendTo(
  wanted: { type: string; settings: AdapterSettings & SessionSettings; addresses?: readonly string[] },
  catalog: { identity: Send; token: TokenSource },
): Send {
  const { settings, addresses = [] } = wanted
  const options = httpOptions(settings)
  const fixed = settings.endpointOverride === null ? addresses : [settings.endpointOverride]
  const at = (url: string) => withFreshToken(sendByHttp(withoutVersion(url), options), catalog.token)
  if (fixed.length > 0) return inTurn(fixed.map(at))
  let found: Promise<Send> | undefined
  const find = async (): Promise<Send> => {
    const { identity, token } = catalog
    const { regionName, validInterfaces } = settings
    const url = await findEndpoint(identity, token, {
      type: settings.serviceType ?? wanted.type,
      interfaces: validInterfaces,
      ...(regionName === null ? {} : { region: regionName }),
    })
    return at(url)
  }
  return async (call) => {
    found ??= find()
    const finding = found
    try {
      return await (await finding)(call)
    } catch (error) {
      // It may be elsewhere by now.
      if (found === finding) found = undefined
      throw error
    }
  }
}

// Of the catalog: http://controller:8774/v2.1, http://controller:8774/v2.1/%(tenant_id)s. Our calls name the version.
const withoutVersion = (url: string): string => url.replace(/\/v\d+(\.\d+)?(\/.*)?$/, '')

/** A call goes to the first that answers, beginning with the one that did last. */
function inTurn(sends: readonly Send[]): Send {
  let at = 0
  return async (call: HttpCall) => {
    for (let tried = 1; ; tried++) {
      try {
        return await sends[at]!(call)
      } catch (error) {
        at = (at + 1) % sends.length
        // What changes something may have been done.
        if (tried >= sends.length || (call.method !== 'GET' && call.method !== 'HEAD')) throw error
      }
    }
  }
}
