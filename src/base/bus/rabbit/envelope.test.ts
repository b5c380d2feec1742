import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '../../errors.ts'
import { withLogContext } from '../../log.ts'
import { readReply, readRequest, writeError, writeRequest, writeResult, writeSignOfLife } from './envelope.ts'

const open = (content: Buffer) => {
  const outer = JSON.parse(content.toString())
  return { version: outer['oslo.version'], message: JSON.parse(outer['oslo.message']) }
}

test("a request has oslo.messaging's form, and is read back", () => {
  const call = { id: 'm1', replyQueue: 'reply_1', signOfLifeSeconds: 60 }
  const { content, uniqueId } = withLogContext({ requestId: 'req-1' }, () =>
    writeRequest({ namespace: 'ns', version: '1.4' }, 'spawn', { id: 'ü' }, call),
  )
  assert.deepEqual(open(content), {
    version: '2.0',
    message: {
      method: 'spawn',
      args: { id: 'ü' },
      namespace: 'ns',
      version: '1.4',
      _context_request_id: 'req-1',
      _msg_id: 'm1',
      _reply_q: 'reply_1',
      _timeout: 60,
      _unique_id: uniqueId,
    },
  })
  assert.deepEqual(readRequest(content), {
    method: 'spawn',
    args: { id: 'ü' },
    namespace: 'ns',
    context: { request_id: 'req-1' },
    uniqueId,
    call,
  })
  const cast = writeRequest({}, 'wake', undefined).content
  assert.deepEqual(Object.keys(open(cast).message), ['method', 'args', '_unique_id'])
  assert.equal(readRequest(cast)?.call, undefined)
})

test('what is no message is none', () => {
  for (const text of ['', 'x', '1', 'null', '{}', '{"oslo.message": "{"}', '{"method": 1}']) {
    assert.equal(readRequest(Buffer.from(text)), undefined, text)
    assert.equal(readReply(Buffer.from(text)), undefined, text)
  }
})

test('an answer carries a result, a sign of life, or a Fault with kind, details and cause', () => {
  assert.deepEqual(readReply(writeResult('m', { sum: 3 })), {
    callId: 'm',
    ending: true,
    outcome: { result: { sum: 3 } },
  })
  assert.deepEqual(readReply(writeResult('m', undefined))?.outcome, { result: null })
  assert.deepEqual(readReply(writeSignOfLife('m')), { callId: 'm', ending: false, outcome: { result: null } })
  const fault = new Fault('conflict', 'not now', { why: 'busy' }, new Error('locked'))
  const outcome = readReply(writeError('m', fault))?.outcome
  assert.ok(outcome !== undefined && 'failure' in outcome && outcome.failure instanceof Fault)
  const { kind, message, details, cause } = outcome.failure
  assert.deepEqual([kind, message, details], ['conflict', 'not now', { why: 'busy' }])
  assert.equal((cause as Error).message, 'locked')
  const { failure } = open(writeError('m', new TypeError('x is undefined'))).message
  assert.deepEqual(JSON.parse(failure), {
    class: 'Fault',
    module: 'kilonova',
    message: 'x is undefined',
    args: ['x is undefined'],
    kwargs: { kind: 'bug', details: {} },
    tb: [],
  })
})

test('an OpenStack exception becomes the Fault that its name says', () => {
  const failure = (name: string) =>
    JSON.stringify({
      class: `${name}_Remote`,
      module: 'nova.exception_Remote',
      message: `${name} it is`,
      tb: ['Traceback'],
      args: [],
      kwargs: { instance_id: 'i1', code: 404 },
    })
  const reply = (name: string) =>
    readReply(
      Buffer.from(JSON.stringify({ _msg_id: 'm', result: null, failure: failure(name), ending: true })),
    )
  const cases = {
    InstanceNotFound: 'not-found',
    InstanceInvalidState: 'conflict',
    PortInUse: 'conflict',
    InvalidRequest: 'invalid',
    MessagingTimeout: 'unavailable',
    NoSuchMethod: 'not-implemented',
    PortLimitExceeded: 'bug',
    KeyError: 'bug',
  }
  for (const [name, kind] of Object.entries(cases)) {
    const outcome = reply(name)?.outcome
    assert.ok(outcome !== undefined && 'failure' in outcome && outcome.failure instanceof Fault)
    assert.deepEqual([outcome.failure.kind, outcome.failure.message], [kind, `${name} it is`], name)
    assert.equal(outcome.failure.details['exception'], `nova.exception.${name}`)
    assert.equal(outcome.failure.details['instance_id'], 'i1')
  }
})
