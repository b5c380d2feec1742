import type { FastifyInstance } from 'fastify'
import { type Listening, listen } from '../listen.ts'
import { type Daemon, gracefulSeconds } from './daemon.ts'

export interface Door {
  app: FastifyInstance
  host: string
  ports: readonly number[]
}

/** On a connection where nothing was asked for so long, nothing is on its way either. */
const idleSeconds = 3

/** Opens the ports of a program's apps, which workers share; what `life` holds ends after them. */
export async function serveApps(doors: readonly Door[], life: AsyncDisposableStack): Promise<Daemon> {
  const listening: Listening[] = []
  for (const { app, host, ports } of doors)
    listening.push(life.use(await listen(app, host, ports, { shared: true })))
  return {
    drain: async () => {
      await Promise.all(listening.map((each) => each.drain({ idleSeconds, mostSeconds: gracefulSeconds })))
    },
    [Symbol.asyncDispose]: () => life.disposeAsync(),
  }
}
