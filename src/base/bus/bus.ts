/**
 * Messages between the processes of one service.
 *
 * `call` waits for the reply; `cast` is delivered at least once (the handler is acknowledged after it returned, so a
 * crash redelivers); `fanout` reaches every server of a topic that is alive and may be lost: it only wakes
 * reconcilers. Handlers are idempotent. Arguments and replies are JSON values: a transport may copy them.
 */
export interface Target {
  /** OpenStack's topic: `conductor`, `scheduler`, `compute`, `q-plugin`, `dhcp_agent`, `q-agent-notifier`. */
  topic: string
  /** One server of the topic, usually a host name; without it any server of the topic takes the message. */
  server?: string
}

export type Handler = (args: never) => unknown

export interface Bus {
  /** Takes the messages of a topic, both those for any server and those for `server`. */
  serve(target: Required<Target>, methods: Readonly<Record<string, Handler>>): Promise<AsyncDisposable>
  /** Rejects with the Fault the handler threw, or `unavailable` when nobody answers in time. */
  call<T>(target: Target, method: string, args: unknown, options?: { timeoutSeconds?: number }): Promise<T>
  /** Resolves when the message is safely kept. */
  cast(target: Target, method: string, args: unknown): Promise<void>
  fanout(topic: string, method: string, args: unknown): Promise<void>
  close(): Promise<void>
}
