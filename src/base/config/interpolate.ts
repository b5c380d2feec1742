/** `$my_ip` and `${group.option}` in values. */
import { Fault } from '../errors.ts'
import { fullName, groupOf, type Named, show, splitName } from './names.ts'

/** The text that an option has where another refers to it; undefined when there is no such option. */
export type TextOf<O extends Named> = (name: string) => { option: O; text: string } | undefined

// `$name` may hold dots, as in oslo.config; a dollar before anything else is a dollar.
const reference = /\\\$|\$\$|\$\{([_a-z][._a-z0-9]*)\}|\$([_a-z][._a-z0-9]*)/gi

/** The value with every reference filled in. A reference to nothing, or in a circle, is a Fault. */
export function interpolate<O extends Named>(
  option: O,
  raw: string,
  where: string,
  textOf: TextOf<O>,
  path: readonly O[] = [],
): string {
  if (path.includes(option))
    throw new Fault('invalid', `${where}: ${show(option)} refers to itself.`, { where })
  return raw.replace(reference, (found, braced?: string, plain?: string) => {
    const name = braced ?? plain
    if (name === undefined) return '$'
    const meant = textOf(fullName(splitName(name, groupOf(option)))) ?? textOf(fullName(splitName(name)))
    if (meant === undefined) {
      const hint = `A dollar that is only a dollar is written $$.`
      const what = `${show(option)} refers to ${found}, which is no option. ${hint}`
      throw new Fault('invalid', `${where}: ${what}`, { where })
    }
    return interpolate(meant.option, meant.text, where, textOf, [...path, option])
  })
}
