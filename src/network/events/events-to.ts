import { Fault } from '../../base/errors.ts'
import type { Send } from '../../base/http/client.ts'
import type { SendEvents } from './compute-event.ts'

/** Tells compute of ports by its REST API. */
export function eventsTo(compute: Send, token: () => Promise<string>): SendEvents {
  return async (events) => {
    const headers = { 'x-auth-token': await token() }
    const path = '/v2.1/os-server-external-events'
    const reply = await compute({ method: 'POST', path, headers, body: { events } })
    // 404: all of the servers are gone by now; 422 and 207 tell of some.
    if (reply.status >= 400 && reply.status !== 404) {
      throw new Fault(
        'unavailable',
        `Compute took no events: HTTP ${reply.status} ${JSON.stringify(reply.body)}`,
      )
    }
  }
}
