/** The APIs of a lab's cloud, from outside its namespaces: a port of ours for each port of its controller. */

import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { type AddressInfo, connect as connectTo, createServer } from 'node:net'
import type { Send } from '../../../src/base/http/client.ts'
import { sendByHttp } from '../../../src/base/http/send-by-http.ts'
import type { ApiName } from '../../../src/cli/admin-client.ts'
import { secretsOf } from '../../../src/cli/lab/cloud/secrets.ts'
import type { Lab } from '../../../src/cli/lab/lab.ts'
import { spawnOnHost } from '../../../src/cli/lab/on-host.ts'
import { controllerOf } from '../../../src/cli/lab/plan.ts'
import { type Person, peopleOf } from '../../../src/testing/cloud-people.ts'
import { until } from '../../../src/testing/until.ts'

const ports: Readonly<Record<ApiName, number>> = {
  identity: 5000,
  image: 9292,
  placement: 8778,
  compute: 8774,
  network: 9696,
}

export interface Reach extends AsyncDisposable {
  sends: Readonly<Record<ApiName, Send>>
  /** The administrator, over HTTP. */
  admin: Person
}

export async function reachLab(lab: Lab): Promise<Reach> {
  await using stack = new AsyncDisposableStack()
  const forwarded: Partial<Record<ApiName, Send>> = {}
  for (const [name, port] of Object.entries(ports)) {
    const url = stack.use(await forward(lab, controllerOf(lab.plan).name, port)).url
    forwarded[name as ApiName] = sendByHttp(url)
  }
  const sends = forwarded as Record<ApiName, Send>
  const admin = peopleOf(() => sends, secretsOf(lab.directory).admin)('admin')
  const opened = stack.move()
  return { sends, admin, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

/** A socket in the host's files is seen from here; behind it is the port, in the host's own network. */
async function forward(lab: Lab, host: string, port: number): Promise<AsyncDisposable & { url: string }> {
  const socket = `/run/reach-${port}.sock`
  const socat = spawnOnHost(lab.holder(host), [
    'socat',
    `UNIX-LISTEN:${socket},fork,backlog=128`,
    `TCP:${host}:${port}`,
  ])
  const path = lab.path(host, socket)
  await until(async () => (existsSync(path) ? true : undefined), `${path} to be there`)
  const server = createServer((client) => {
    const inside = connectTo(path)
    client.pipe(inside).pipe(client)
    client.on('error', () => inside.destroy())
    inside.on('error', () => client.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.close()
      socat.kill()
    },
  }
}
