import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explainBroker } from './explain.ts'

const host = { hostname: 'controller', port: 5672, username: 'openstack', password: 'hunter2' }
const explain = (error: unknown, ssl = false) => explainBroker(error, { host, virtualHost: 'nova', ssl })
const coded = (code: string) => Object.assign(new Error(`connect ${code}`), { code })

test('each reason for which a broker is not reached is told with host, port and what to do', () => {
  const cases: [error: Error, sentence: RegExp][] = [
    [coded('ECONNREFUSED'), /^controller:5672 refused the connection/],
    [new Error('connect ETIMEDOUT'), /^controller:5672 does not answer: .*firewall/],
    [coded('EHOSTUNREACH'), /no route to controller:5672/],
    [coded('ENOTFOUND'), /the name controller is unknown here/],
    [
      new Error(
        'Handshake terminated by server: 403 (ACCESS-REFUSED) with message "ACCESS_REFUSED - Login was refused"',
      ),
      /^ACCESS_REFUSED for user openstack on controller:5672/,
    ],
    [
      new Error('Expected ConnectionOpenOk; got <ConnectionClose channel:0>'),
      /does not open vhost 'nova' to user openstack: .*add_vhost nova.*set_permissions -p nova openstack/,
    ],
    [coded('ERR_SSL_WRONG_VERSION_NUMBER'), /does not speak TLS/],
    [coded('DEPTH_ZERO_SELF_SIGNED_CERT'), /signed by none of those in ssl_ca_file/],
    [coded('ERR_TLS_CERT_ALTNAME_INVALID'), /is not for controller/],
    [new Error('Socket closed abruptly during opening handshake'), /expects TLS \(ssl=1\)/],
    [new Error('something else'), /^controller:5672: something else$/],
  ]
  for (const [error, sentence] of cases) {
    assert.match(explain(error), sentence)
    assert.doesNotMatch(explain(error), /hunter2/)
  }
  assert.doesNotMatch(explain(new Error('Socket closed abruptly during opening handshake'), true), /ssl=1/)
})
