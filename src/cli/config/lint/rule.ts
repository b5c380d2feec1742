/** What every rule is given: the files as they were read, and the facts of the host they are for. */
import type { IniFile, Setting } from '../../../base/config/ini.ts'
import { groupOf } from '../../../base/config/names.ts'
import type { ProgramName } from '../programs.ts'
import type { Catalog, Entry } from './catalog.ts'
import type { FileKind } from './file-kind.ts'
import type { Edit, Finding, Severity } from './finding.ts'

/** A setting whose option is known. */
export interface Meant {
  setting: Setting
  entry: Entry
  isEarlier: boolean
}

export interface LintFile {
  path: string
  ini: IniFile
  lines: readonly string[]
  kind: FileKind
  catalog: Catalog
  meant: readonly Meant[]
}

/** What is on the host; absent where the files are another host's. */
export interface HostFacts {
  /** Addresses with the interface that each is on. */
  addresses: readonly { name: string; address: string }[]
  nics: readonly string[]
}

export interface LintContext {
  files: readonly LintFile[]
  /** Every kind of file with its options, made when asked for: only what is unknown needs them. */
  catalogs(): IteratorObject<Catalog>
  host: HostFacts | undefined
  /** `compute`: no database may be named. Given by the user or by the daemon that starts, else guessed. */
  role: { name: 'compute' | 'controller'; isGuess: boolean } | undefined
  program: ProgramName | undefined
}

export type Rule = (context: LintContext) => Finding[]

interface Said {
  rule: string
  severity: Severity
  what: string
  why: string
  fix: string
  edit?: Edit
}

/** A finding that marks the name of a setting. */
export const atName = (file: LintFile, setting: Setting, said: Said): Finding => ({
  path: file.path,
  line: setting.line,
  column: setting.column,
  length: setting.name.length,
  ...said,
})

/** A finding that marks the value of a setting, or a part of it. */
export function atValue(
  file: LintFile,
  setting: Setting,
  said: Said,
  part?: { from: number; length: number },
): Finding {
  const first = setting.value.split('\n')[0]!
  return {
    path: file.path,
    line: setting.line,
    column: setting.valueColumn + (part?.from ?? 0),
    length: part?.length ?? Math.max(1, first.length),
    ...said,
  }
}

/** What a program would see of an option in these files: the last of its settings, with its file. */
export function lastSetting(
  files: readonly LintFile[],
  option: { group?: string; name: string },
): (Meant & { file: LintFile }) | undefined {
  return allSettings(files, option).at(-1)
}

export const allSettings = (
  files: readonly LintFile[],
  option: { group?: string; name: string },
): (Meant & { file: LintFile })[] =>
  files.flatMap((file) =>
    file.meant
      .filter(({ entry }) => entry.group === groupOf(option) && entry.name === option.name)
      .map((meant) => ({ ...meant, file })),
  )

/** `nova.conf` and its like among the files. */
export const ofKind = (files: readonly LintFile[], ...names: string[]): LintFile[] =>
  files.filter(({ kind }) => names.includes(kind.name))

/** `/etc/nova/nova.conf:12` */
export const placeOf = (file: LintFile, setting: Setting): string => `${file.path}:${setting.line}`
