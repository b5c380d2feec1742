/**
 * Messages between the processes of one service.
 *
 * `call` waits for the reply; `cast` is delivered at least once (the handler is acknowledged after it returned, so a
 * crash redelivers); `fanout` reaches every server of a topic that is alive, `wake` one of them, and both may be lost:
 * they only wake reconcilers. Handlers are idempotent. Arguments and replies are JSON values: a transport may copy them.
 */
export interface Target {
  /** OpenStack's topic: `conductor`, `scheduler`, `compute`, `q-plugin`, `dhcp_agent`, `q-agent-notifier`. */
  topic: string
  /** One server of the topic, usually a host name; without it any server of the topic takes the message. */
  server?: string
  /** What a real OpenStack service asks for beside the method's name; our own servers need neither. */
  namespace?: string
  version?: string
  /** What it wants to know of the caller besides the id of the request: `{ is_admin: true }`. */
  context?: Readonly<Record<string, unknown>>
}

/** What came with a message beside its arguments. */
export interface MessageInfo {
  /** The sender's request context: `request_id`, and from a real OpenStack service `user_id`, `project_id`, `roles`. */
  context: Readonly<Record<string, unknown>>
  /** The sender may have sent it before: the transport does not know what became of it then. */
  redelivered: boolean
}

export type Handler = (args: never, info: MessageInfo) => unknown

export interface Bus {
  /**
   * Takes the messages of a topic, both those for any server and those for `server`. Resolves when the transport knows
   * of it, so it waits for a broker that is away. A method may be keyed `namespace.method` too.
   */
  serve(target: ServerTarget, methods: Readonly<Record<string, Handler>>): Promise<AsyncDisposable>
  /** Rejects with the Fault the handler threw, or `unavailable` when nobody answers in time. */
  call<T>(target: Target, method: string, args: unknown, options?: { timeoutSeconds?: number }): Promise<T>
  /** Resolves when the message is safely kept. */
  cast(target: Target, method: string, args: unknown): Promise<void>
  fanout(topic: string, method: string, args: unknown): Promise<void>
  /** As `fanout` for one server alone: it may be lost, and is no longer wanted when the server comes late. */
  wake(target: ServerTarget, method: string, args: unknown): Promise<void>
  /** Whether messages get through now; for status pages and `kilonova doctor`. */
  state(): BusState
  /**
   * Tells each time the transport is lost or there again. Who is woken by fanouts reads everything anew when it is
   * there again: what was sent meanwhile may be lost.
   */
  watch(listener: (state: BusState) => void): Disposable
  /** Takes no more messages, lets handlers end and what was cast be sent, then ends calls under way. */
  close(): Promise<void>
}

/** A server of a topic, by its own name. */
export type ServerTarget = Pick<Target, 'topic'> & { server: string }

export interface BusState {
  transport: 'memory' | 'rabbit'
  connected: boolean
  /** Of the broker that it is or was last connected to, or tries now: `controller:5672`; null in memory. */
  host: string | null
  /** Milliseconds since the epoch at which it became so. */
  since: number
  /** Why it is not connected, or is and yet takes no messages: a sentence; null when all is well. */
  why: string | null
}
