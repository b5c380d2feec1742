import type { AuthContext } from '#base/auth/context.ts'

/** What is known of a token, and until when it is believed: milliseconds since the epoch. */
export interface Remembered {
  context: AuthContext
  until: number
}

/**
 * Where processes and hosts tell each other of tokens that were found valid. It never fails: what it cannot say is
 * asked of identity.
 */
export interface SharedTokenCache extends Disposable {
  find(token: string): Promise<Remembered | undefined>
  remember(token: string, remembered: Remembered): Promise<void>
}
