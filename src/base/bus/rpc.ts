/** Messages as data: one table types the caller, checks the receiver, and lists what can be sent on a topic. */
import type { Static, TSchema } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'
import { Fault } from '../errors.ts'
import type { Bus, Handler, Target } from './bus.ts'

export interface RpcMethod {
  args: TSchema
  /** Without it the message is a cast: nobody waits for an answer. */
  reply?: TSchema
  /** A cast to every server of the topic, which may be lost. */
  fanout?: true
  /** How long a caller waits; the bus's default unless given. */
  timeoutSeconds?: number
}

export type RpcMethods = Readonly<Record<string, RpcMethod>>

/** What a real OpenStack service on the other side expects of every message of a table. */
export type RpcDialect = Pick<Target, 'namespace' | 'version'>

export interface RpcTable<M extends RpcMethods> extends RpcDialect {
  readonly topic: string
  readonly methods: M
}

type Reply<M extends RpcMethod> = M['reply'] extends TSchema ? Static<M['reply']> : unknown

export type RpcClient<M extends RpcMethods> = {
  [K in keyof M]: (
    args: Static<M[K]['args']>,
    to?: { server?: string; timeoutSeconds?: number },
  ) => Promise<Reply<M[K]>>
}

export type RpcHandlers<M extends RpcMethods> = {
  [K in keyof M]: (args: Static<M[K]['args']>) => Promise<Reply<M[K]>> | Reply<M[K]>
}

/** `defineRpc('compute', { spawn: { args: Type.Object(…), reply: Type.Object(…) } })` */
export function defineRpc<const M extends RpcMethods>(
  topic: string,
  methods: M,
  dialect: RpcDialect = {},
): RpcTable<M> {
  return { ...dialect, topic, methods }
}

/** One function for each method of the table; `to.server` names one server of the topic. */
export function rpcClient<M extends RpcMethods>(bus: Bus, table: RpcTable<M>): RpcClient<M> {
  const { methods, ...anyServer } = table
  const send = ([name, method]: [string, RpcMethod]) => {
    const call = (args: unknown, to: { server?: string; timeoutSeconds?: number } = {}) => {
      if (method.fanout === true) return bus.fanout(table.topic, name, args)
      const target = to.server === undefined ? anyServer : { ...anyServer, server: to.server }
      if (method.reply === undefined) return bus.cast(target, name, args)
      const timeoutSeconds = to.timeoutSeconds ?? method.timeoutSeconds
      return bus.call(target, name, args, timeoutSeconds === undefined ? {} : { timeoutSeconds })
    }
    return [name, call]
  }
  return Object.fromEntries(Object.entries(methods).map(send)) as RpcClient<M>
}

const validators = new WeakMap<TSchema, Validator>()

/** Serves every method of the table; arguments that do not fit it are refused before the handler sees them. */
export function serveRpc<M extends RpcMethods>(
  bus: Bus,
  table: RpcTable<M>,
  at: { server: string },
  handlers: RpcHandlers<M>,
): Promise<AsyncDisposable> {
  const checked = Object.entries(table.methods).map(([name, method]): [string, Handler] => [
    name,
    (args: unknown) => {
      assertFits(`${table.topic}.${name}`, method.args, args)
      return handlers[name]!(args as Static<M[string]['args']>)
    },
  ])
  return bus.serve({ topic: table.topic, server: at.server }, Object.fromEntries(checked))
}

function assertFits(name: string, schema: TSchema, args: unknown): void {
  let validator = validators.get(schema)
  if (validator === undefined) {
    validator = Compile(schema)
    validators.set(schema, validator)
  }
  if (validator.Check(args)) return
  const [first] = validator.Errors(args)
  throw new Fault(
    'invalid',
    `The message ${name} does not fit its table: ${first?.instancePath} ${first?.message}`,
  )
}
