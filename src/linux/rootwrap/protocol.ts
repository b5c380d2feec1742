/** What a program and its privileged helper say to each other: one JSON object per line, answers in any order. */

export interface Request {
  id: number
  command: string
  args: readonly string[]
  input?: string | undefined
  netns?: string | undefined
  timeoutSeconds?: number | undefined
}

export type Answer =
  | { id: number; code: number; stdout: string; stderr: string }
  /** Not on the helper's list; why. */
  | { id: number; denied: string }
  /** Allowed, and came to nothing: `could not be started: …`. */
  | { id: number; failed: string }

/** Programs of one of these may be helped; each has its list. */
export type Project = 'neutron' | 'nova'
