import { createServer } from 'node:net'
import { Fault } from '../../base/errors.ts'
import { type CloudSettings, portOf, type ServiceName, standardPorts } from './settings.ts'

/** Refuses, with the way out, when another program has one of the cloud's ports. */
export async function assertPortsFree(settings: CloudSettings): Promise<void> {
  for (const service of Object.keys(standardPorts) as ServiceName[]) {
    const port = portOf(settings, service)
    if (port > 65_535) {
      throw new Fault(
        'invalid',
        `With --port-offset ${settings.portOffset} the ${service} API would have port ${port}, and 65535 is the last. Choose ${65_535 - standardPorts[service]} at most.`,
      )
    }
    const reason = await tryPort(settings.listen, port)
    if (reason === undefined) continue
    if (reason === 'EADDRNOTAVAIL') {
      throw new Fault(
        'unavailable',
        `${settings.listen} is no address of this machine; choose another with --listen.`,
      )
    }
    throw new Fault(
      'unavailable',
      `Port ${port} on ${settings.listen}, which the ${service} API needs, is taken (${reason}). Stop the program that has it (ss -ltnp shows it), or start this cloud with --port-offset ${settings.portOffset + 1000}.`,
      { port },
    )
  }
}

function tryPort(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)))
  })
}
