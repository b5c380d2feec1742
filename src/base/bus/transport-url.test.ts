import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFault } from '../errors.ts'
import { readMessagingConfig } from './open.ts'
import { parseTransportUrl, showTransportUrl } from './transport-url.ts'

const host = (hostname: string, port = 5672, username = 'guest', password = 'guest') => ({
  hostname,
  port,
  username,
  password,
})

test('a transport URL gives hosts, users and vhost with the defaults of OpenStack', () => {
  const cases: [url: string, hosts: ReturnType<typeof host>[], virtualHost: string][] = [
    ['rabbit://openstack:openstack@controller', [host('controller', 5672, 'openstack', 'openstack')], '/'],
    ['rabbit://u:p@controller/', [host('controller', 5672, 'u', 'p')], '/'],
    ['rabbit://u:p@controller:5673//', [host('controller', 5673, 'u', 'p')], '/'],
    ['rabbit://u:p@c/%2F', [host('c', 5672, 'u', 'p')], '/'],
    ['rabbit://u:p@c/nova_cell1', [host('c', 5672, 'u', 'p')], 'nova_cell1'],
    ['rabbit://u:p@c/a%20b', [host('c', 5672, 'u', 'p')], 'a b'],
    ['rabbit://u:p@one,v:q@two:5/x', [host('one', 5672, 'u', 'p'), host('two', 5, 'v', 'q')], 'x'],
    ['rabbit://u:p@[fd00::1]:5/', [host('fd00::1', 5, 'u', 'p')], '/'],
    ['rabbit://[fd00::1]', [host('fd00::1')], '/'],
    ['rabbit://u%40d:%2F%23%3a%zz@c', [host('c', 5672, 'u@d', '/#:%zz')], '/'],
    ['rabbit://u@d:p@c', [host('c', 5672, 'u@d', 'p')], '/'],
    ['rabbit://u:p:q@c', [host('c', 5672, 'u', 'p:q')], '/'],
    ['rabbit://', [host('localhost')], '/'],
    ['kombu+amqp://c', [host('c')], '/'],
    ['AMQP://c', [host('c')], '/'],
  ]
  for (const [url, hosts, virtualHost] of cases) {
    assert.deepEqual(parseTransportUrl(url), { transport: 'rabbit', hosts, virtualHost, query: {} }, url)
  }
  assert.equal(parseTransportUrl('fake:/').transport, 'memory')
  assert.equal(parseTransportUrl('memory://').transport, 'memory')
})

test('a URL that cannot be read says why and keeps its password to itself', () => {
  const cases: [url: string, why: RegExp][] = [
    ['rabbit://openstack:hunter2#x@controller', /%23/],
    ['rabbit://openstack:hunter2/x@controller', /no port; .*%2F/],
    ['rabbit://openstack:p@controller:hunter2', /no port/],
    ['zmq://openstack:hunter2@controller', /no transport 'zmq', only rabbit and memory/],
    ['rabbit://u:hunter2@[fd00::1', /lacks the '\]'/],
    ['controller:5672', /no transport 'controller'/],
    ['', /begin with rabbit/],
  ]
  for (const [url, why] of cases) {
    assert.throws(
      () => parseTransportUrl(url),
      (error) => isFault(error, 'invalid') && why.test(error.message) && !error.message.includes('hunter2'),
      url,
    )
  }
  const shown = showTransportUrl(parseTransportUrl('rabbit://u:hunter2@one,v:hunter2@[::1]:5/a/b?ssl=1'))
  assert.equal(shown, 'rabbit://u:***@one:5672,v:***@[::1]:5/a%2Fb')
})

test("options in the URL count before the file's", () => {
  const { query } = parseTransportUrl('rabbit://c?ssl=1&heartbeat_rate=4&ssl_ca_file=/etc/ca.pem')
  const config = readMessagingConfig({ rabbitSsl: false, heartbeatRate: 3, rabbitRetryInterval: 9 }, query)
  assert.deepEqual(
    [config.rabbitSsl, config.heartbeatRate, config.rabbitSslCaFile, config.rabbitRetryInterval],
    [true, 4, '/etc/ca.pem', 9],
  )
  assert.equal(config.amqpDurableQueues, true)
  assert.throws(() => readMessagingConfig({}, { ssl: 'perhaps' }), /ssl=perhaps is neither true nor false/)
})
