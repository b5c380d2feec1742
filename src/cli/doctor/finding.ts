/** What `kilonova doctor` finds: one line each, and what to do where something is wrong. */

export interface Finding {
  /** `MariaDB controller:3306, database nova`. */
  subject: string
  result: 'ok' | 'warning' | 'failure'
  /** What was seen; one sentence. */
  detail: string
  /** What to do about it. */
  fix?: string
}

export interface Check {
  /** Shown while it runs: `databases`. */
  about: string
  run(): Promise<readonly Finding[]>
}

export const ok = (subject: string, detail: string): Finding => ({ subject, result: 'ok', detail })

export const warning = (subject: string, detail: string, fix: string): Finding => ({
  subject,
  result: 'warning',
  detail,
  fix,
})

export const failure = (subject: string, detail: string, fix: string): Finding => ({
  subject,
  result: 'failure',
  detail,
  fix,
})
