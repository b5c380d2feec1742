/** Tokens that somebody else, or a program, holds on a user's behalf must not make themselves longer-lived or wider. */
import { Fault } from '#base/errors.ts'
import type { IdentityRequest } from './identity-route.ts'

const delegatedMethods = ['application_credential', 'ec2credential', 'oauth1']

/** True for a token by an application credential or EC2 credential, or by a trust. */
export function isDelegated(request: IdentityRequest): boolean {
  return isByCredential(request) || request.context.extra?.['trustId'] !== undefined
}

/** True for a token by an application credential or EC2 credential. */
export function isByCredential(request: IdentityRequest): boolean {
  const methods = (request.context.extra?.['methods'] ?? []) as readonly string[]
  return methods.some((method) => delegatedMethods.includes(method))
}

export function forbidDelegated(request: IdentityRequest, what: string): void {
  if (isDelegated(request)) throw forbiddenAction(what)
}

/** An application credential that was made unrestricted may manage others; nothing else that is delegated may. */
export function forbidRestricted(request: IdentityRequest): void {
  if (!isDelegated(request)) return
  const extra = request.context.extra ?? {}
  if (extra['applicationCredentialId'] !== undefined && extra['restricted'] === false) return
  throw forbiddenAction(
    "Using method 'application_credential' is not allowed for managing additional application credentials.",
  )
}

export function forbiddenAction(action: string): Fault {
  return new Fault('forbidden', `You are not authorized to perform the requested action: ${action}.`, {
    action,
  })
}
