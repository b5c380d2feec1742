/** Opens a cloud's ports, and closes them with whatever is still connected. */
import { createServer, type Server } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { Fault } from '../base/errors.ts'

/** Serves an app on a port, or on several: an alias has a listener of its own. */
export async function listen(
  app: FastifyInstance,
  host: string,
  ports: readonly number[],
): Promise<AsyncDisposable> {
  await app.ready()
  await using undo = new AsyncDisposableStack()
  for (const port of ports) {
    const server = createServer((request, response) => app.routing(request, response))
    // Clients reuse their connections; a shorter idle time would reset them in the middle of a request.
    server.keepAliveTimeout = 75_000
    await listening(server, host, port)
    undo.defer(() => {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      return closed.then(() => undefined)
    })
  }
  return undo.move()
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new Fault('unavailable', `Port ${port} on ${host} cannot be opened (${error.code})`, { port }, error),
      )
    })
    server.listen({ host, port, exclusive: true }, resolve)
  })
}
