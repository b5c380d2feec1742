/** libvirt's errors as Faults that keep its code. */
import { Fault, type FaultKind, isFault } from '../../../../base/errors.ts'
import { errorCode } from './constants.ts'
import type { RemoteError } from './structs.ts'

const kinds: Readonly<Record<number, FaultKind>> = {
  [errorCode.noSupport]: 'not-implemented',
  [errorCode.domainExists]: 'conflict',
  [errorCode.noDomain]: 'not-found',
  [errorCode.operationInvalid]: 'conflict',
}

/** What libvirt said to a call; `details.libvirtCode` and `libvirtDomain` are the numbers of virterror.h. */
export function libvirtFault(procedure: string, error: RemoteError): Fault {
  const message = error.message ?? `error ${error.code}`
  return new Fault(kinds[error.code] ?? 'unavailable', `libvirt: ${message}`, {
    procedure,
    libvirtCode: error.code,
    libvirtDomain: error.domain,
  })
}

/** True when libvirt refused with this code. */
export const hasLibvirtCode = (error: unknown, code: number): boolean =>
  isFault(error) && error.details['libvirtCode'] === code
