/** oslo.config's files: sections, `key = value` or `key: value`, indented lines go on, `#` and `;` begin comments. */
import { Fault } from '../errors.ts'

/** One setting as it stands in a file. */
export interface Setting {
  group: string
  name: string
  value: string
  /** `/etc/nova/nova.conf:12` */
  where: string
}

/** Every setting in the order of the file; one that is given twice is there twice. */
export function parseIni(path: string, content: string): Setting[] {
  const settings: Setting[] = []
  let group = 'DEFAULT'
  let open: Setting | undefined
  for (const [index, line] of content.split(/\r?\n/).entries()) {
    const where = `${path}:${index + 1}`
    const text = line.trim()
    if (text === '') {
      open = undefined
    } else if (text.startsWith('#') || text.startsWith(';')) {
      // A comment between the lines of a value does not end it.
    } else if (/^\s/.test(line)) {
      if (open === undefined)
        throw bad(where, 'an indented line continues a value, but none stands before it')
      open.value += `\n${text}`
    } else if (text.startsWith('[')) {
      if (!text.endsWith(']') || text.length < 3) throw bad(where, `'${text}' is no section; write [name]`)
      group = text.slice(1, -1).trim()
      open = undefined
    } else {
      const at = text.search(/[=:]/)
      if (at <= 0) throw bad(where, `'${text}' is neither a [section] nor name = value`)
      open = { group, name: text.slice(0, at).trim(), value: text.slice(at + 1).trim(), where }
      settings.push(open)
    }
  }
  for (const setting of settings) setting.value = unquote(setting.value)
  return settings
}

function unquote(value: string): string {
  const quoted = /^(['"])([\s\S]*)\1$/.exec(value)
  return quoted === null ? value : quoted[2]!
}

const bad = (where: string, what: string): Fault => new Fault('invalid', `${where}: ${what}.`, { where })
