/** What a check says of configuration files, and the changes that put them right. */

export type Severity = 'error' | 'warning' | 'note'

/** A change of one file, in the lines that it had when it was read. */
export type Edit =
  | { kind: 'replace'; line: number; column: number; length: number; text: string }
  /** Takes lines out, and appends them to a section, which is made when it is not there. */
  | { kind: 'move'; first: number; last: number; section: string; lines: readonly string[] }
  /** Takes lines out by making a comment of them. */
  | { kind: 'comment out'; first: number; last: number }

export interface Finding {
  /** What kind of finding it is: `wrong-section`. */
  rule: string
  severity: Severity
  path: string
  line: number
  column: number
  /** How far the marked text goes. */
  length: number
  /** A sentence each. */
  what: string
  why: string
  fix: string
  /** Only where the change is safe: it does what the fix says, and nobody can have meant anything else. */
  edit?: Edit
}
