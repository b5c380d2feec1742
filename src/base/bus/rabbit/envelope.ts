/**
 * oslo.messaging's wire form, version 2.0: a JSON object whose `oslo.message` is the message as a JSON text. Keys that
 * begin with `_` are the envelope's: `_msg_id` and `_reply_q` of a call, `_context_*` of the request context,
 * `_unique_id` by which a message that is sent again is known, `_timeout` in which a caller wants a sign of life.
 */
import { newHexId } from '../../ids.ts'
import { currentRequestId } from '../../log.ts'
import type { Target } from '../bus.ts'
import { readFailure, writeFailure } from './failure.ts'

export interface Request {
  method: string
  args: unknown
  namespace: string | undefined
  context: Record<string, unknown>
  /** Given by every sender but very old ones. */
  uniqueId: string | undefined
  /** Only of a call. */
  call: { id: string; replyQueue: string; signOfLifeSeconds: number | undefined } | undefined
}

export interface Reply {
  callId: string
  /** A sign of life when it has neither result nor failure and is not `ending`. */
  ending: boolean
  outcome: { result: unknown } | { failure: Error }
}

export interface CallHeader {
  id: string
  replyQueue: string
  signOfLifeSeconds?: number | undefined
}

export function writeRequest(
  target: Pick<Target, 'namespace' | 'version' | 'context'>,
  method: string,
  args: unknown,
  call?: CallHeader,
): { uniqueId: string; content: Buffer } {
  const uniqueId = newHexId()
  const requestId = currentRequestId()
  const content = wrap({
    method,
    args: args ?? {},
    ...(target.namespace === undefined ? {} : { namespace: target.namespace }),
    ...(target.version === undefined ? {} : { version: target.version }),
    ...contextOf({ ...(requestId === undefined ? {} : { request_id: requestId }), ...target.context }),
    ...(call === undefined
      ? {}
      : { _msg_id: call.id, _reply_q: call.replyQueue, _timeout: call.signOfLifeSeconds ?? null }),
    _unique_id: uniqueId,
  })
  return { uniqueId, content }
}

/** Undefined when it is no message of oslo.messaging's. */
export function readRequest(content: Buffer): Request | undefined {
  const message = unwrap(content)
  if (message === undefined || typeof message['method'] !== 'string') return undefined
  const { method, args, namespace, _msg_id: id, _reply_q: replyQueue, _timeout: timeout } = message
  const context = Object.entries(message).flatMap(([key, value]) =>
    key.startsWith(contextPrefix) ? [[key.slice(contextPrefix.length), value] as const] : [],
  )
  return {
    method,
    args,
    namespace: textOf(namespace),
    context: Object.fromEntries(context),
    uniqueId: textOf(message['_unique_id']),
    call:
      typeof id === 'string' && typeof replyQueue === 'string'
        ? { id, replyQueue, signOfLifeSeconds: typeof timeout === 'number' ? timeout : undefined }
        : undefined,
  }
}

export const writeResult = (callId: string, result: unknown): Buffer =>
  writeReply(callId, { result: result ?? null, failure: null, ending: true })

export const writeError = (callId: string, error: unknown): Buffer =>
  writeReply(callId, { result: null, failure: writeFailure(error), ending: true })

export const writeSignOfLife = (callId: string): Buffer =>
  writeReply(callId, { result: null, failure: null, ending: false })

export function readReply(content: Buffer): Reply | undefined {
  const message = unwrap(content)
  const callId = textOf(message?.['_msg_id'])
  if (message === undefined || callId === undefined) return undefined
  const failure = textOf(message['failure'])
  return {
    callId,
    ending: message['ending'] === true,
    outcome:
      failure === undefined ? { result: message['result'] ?? null } : { failure: readFailure(failure) },
  }
}

const contextPrefix = '_context_'

const contextOf = (context: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(context).map(([key, value]) => [contextPrefix + key, value]))

const writeReply = (callId: string, reply: Record<string, unknown>): Buffer =>
  wrap({ ...reply, _msg_id: callId, _unique_id: newHexId() })

const wrap = (message: Record<string, unknown>): Buffer =>
  Buffer.from(JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': JSON.stringify(message) }))

function unwrap(content: Buffer): Record<string, unknown> | undefined {
  try {
    const outer = JSON.parse(content.toString('utf8')) as Record<string, unknown>
    const inner = outer['oslo.message']
    const message = typeof inner === 'string' ? JSON.parse(inner) : outer
    return typeof message === 'object' && message !== null ? message : undefined
  } catch {
    return undefined
  }
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
