/** The configuration of an haproxy that passes the HTTP of one address on to a Unix socket. */

export interface HaproxyOptions {
  pidFile: string
  listen: string
  socket: string
  /** Headers that only the proxy may set: whatever a client sent under these names is replaced. */
  headers: Readonly<Record<string, string>>
  dropHeaders: readonly string[]
  /** Whom it runs as once it listens. */
  user?: string
  group?: string
}

export function haproxyConfig(options: HaproxyOptions): string {
  const lines = [
    'global',
    '    maxconn 1024',
    `    pidfile ${options.pidFile}`,
    '    daemon',
    ...(options.user === undefined ? [] : [`    user ${options.user}`]),
    ...(options.group === undefined ? [] : [`    group ${options.group}`]),
    '',
    'defaults',
    '    mode http',
    '    option http-server-close',
    '    retries 3',
    '    timeout http-request 30s',
    '    timeout connect 30s',
    '    timeout client 32s',
    '    timeout server 32s',
    '    timeout http-keep-alive 30s',
    '',
    'listen metadata',
    `    bind ${options.listen}`,
    ...options.dropHeaders.map((name) => `    http-request del-header ${name}`),
    ...Object.entries(options.headers).map(([name, value]) => `    http-request set-header ${name} ${value}`),
    '    # The client cannot choose what it is taken for.',
    '    http-request set-header X-Forwarded-For %[src]',
    `    server agent unix@${options.socket}`,
    '',
  ]
  return lines.join('\n')
}
