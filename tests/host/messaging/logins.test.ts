/** What the log says of a broker that lets nobody in, and TLS. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rabbitUser } from '../../../src/testing/rabbitmq.ts'
import { certificates, openBusFor, recordingLog, sharedRabbitmq, skip } from './broker.ts'

const nova = { topic: 'conductor' }

test('a broker that lets nobody in is named with user, host, port and vhost, and no password', {
  skip,
}, async (t) => {
  const rabbit = await sharedRabbitmq()
  const at = `127.0.0.1:${rabbit.port}`
  const wrong = { name: 'openstack', password: 'hunter2' }
  const cases: [url: string, line: RegExp][] = [
    [rabbit.url('', wrong), new RegExp(`ACCESS_REFUSED for user openstack on ${at}`)],
    [rabbit.url('nowhere'), new RegExp(`${at} does not open vhost 'nowhere' to user openstack`)],
    [rabbit.url('closed'), new RegExp(`${at} does not open vhost 'closed' to user openstack`)],
    [`${rabbit.url()}?ssl=1`, new RegExp(`${at} does not speak TLS`)],
    [rabbit.tlsUrl().replace('?ssl=1', ''), /expects TLS \(ssl=1\)/],
    [
      `${rabbit.tlsUrl()}&ssl_ca_file=${certificates().otherCaFile}`,
      /signed by none of those in ssl_ca_file/,
    ],
    [`${rabbit.tlsUrl()}&ssl_ca_file=/nowhere.pem`, /ssl_ca_file: \/nowhere\.pem cannot be read/],
  ]
  for (const [url, line] of cases) {
    const { log, lines } = recordingLog()
    const bus = openBusFor(t, url, { log })
    await assert.rejects(bus.call(nova, 'who', {}, { timeoutSeconds: 1.5 }), line)
    assert.equal(lines.length, 1, lines.map(({ msg }) => msg).join('\n'))
    assert.match(lines[0]!.msg, line)
    assert.match(bus.state().why ?? '', line)
    for (const secret of [wrong.password, rabbitUser.password]) assert.ok(!lines[0]!.msg.includes(secret))
    await bus.close()
  }
})

test('TLS, with and without a look at the certificate', { skip }, async (t) => {
  const rabbit = await sharedRabbitmq()
  const ca = `ssl_ca_file=${certificates().caFile}`
  for (const more of ['', `&${ca}`, `&${ca}&ssl_enforce_hostname_verification=1`]) {
    const bus = openBusFor(t, `${rabbit.tlsUrl(rabbit.ownUrl())}${more}`)
    await bus.serve({ ...nova, server: 'one' }, { who: () => 'one' })
    assert.equal(await bus.call(nova, 'who', {}), 'one')
    await bus.close()
  }
})

test('the next of several hosts is taken, and told', { skip }, async (t) => {
  const rabbit = await sharedRabbitmq()
  const [scheme, rest] = rabbit.ownUrl().split('://')
  const [login] = rest!.split('@127')
  const { log } = recordingLog()
  const bus = openBusFor(t, `${scheme}://${login}@127.0.0.1:9,${rest}`, { log })
  await bus.cast(nova, 'take', {})
  const { connected, host, why } = bus.state()
  assert.deepEqual({ connected, host, why }, { connected: true, host: `127.0.0.1:${rabbit.port}`, why: null })
})
