/** The structures of libvirt's remote protocol that the procedures share. */
import { Fault } from '../../../../base/errors.ts'
import {
  type Carried,
  type Codec,
  double,
  hyper,
  int,
  nullable,
  struct,
  text,
  uint,
  uuid,
  type XdrReader,
} from './xdr.ts'

/** How libvirt names a domain; `id` is -1 while it does not run. */
export const domain = struct({ name: text, uuid, id: int })
export type DomainRef = Carried<typeof domain>

const network = struct({ name: text, uuid })

export const remoteError = struct({
  code: int,
  domain: int,
  message: nullable(text),
  level: int,
  dom: nullable(domain),
  str1: nullable(text),
  str2: nullable(text),
  str3: nullable(text),
  int1: int,
  int2: int,
  net: nullable(network),
})
export type RemoteError = Carried<typeof remoteError>

/** A union by type number: int, unsigned, 64-bit, unsigned 64-bit, double, boolean, string. */
const parameterValues: readonly { read(input: XdrReader): number | string }[] = [
  int,
  uint,
  hyper,
  hyper,
  double,
  int,
  text,
]

/** A named value whose type is on the wire; read only, since nothing here sends one. */
export const typedParameter: Codec<{ field: string; value: number | string }> = {
  write() {
    throw new Fault('bug', 'typed parameters are only read from libvirt, never sent')
  },
  read(input) {
    const field = text.read(input)
    const type = input.uint32()
    const codec = parameterValues[type - 1]
    if (codec === undefined)
      throw new Fault('unavailable', `libvirt sent a parameter of unknown type ${type}`)
    return { field, value: codec.read(input) }
  },
}
