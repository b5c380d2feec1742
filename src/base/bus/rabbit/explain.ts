/** Why a broker cannot be reached, as a sentence that says what to do. */
import { describeError } from '../../errors.ts'
import type { BrokerHost } from '../transport-url.ts'
import { showHost } from '../transport-url.ts'

export interface Attempt {
  host: BrokerHost
  virtualHost: string
  ssl: boolean
}

/** amqplib and Node name causes by error codes and by texts; each pattern is matched against both. */
const causes: readonly (readonly [RegExp, (at: string, attempt: Attempt) => string])[] = [
  [
    /ACCESS[_-]REFUSED/,
    (at, { host }) =>
      `ACCESS_REFUSED for user ${host.username} on ${at}: the broker has no such user, another password for it, or, for guest, does not let it in from other hosts (rabbitmqctl list_users, change_password)`,
  ],
  [
    // amqplib keeps the broker's words to itself; nothing else is refused at this point.
    /Expected ConnectionOpenOk; got <ConnectionClose/,
    (at, { host, virtualHost }) =>
      `${at} does not open vhost '${virtualHost}' to user ${host.username}: it is not there (rabbitmqctl add_vhost ${virtualHost}), or the user has no rights in it (rabbitmqctl set_permissions -p ${virtualHost} ${host.username} '.*' '.*' '.*')`,
  ],
  [/ECONNREFUSED/, (at) => `${at} refused the connection: no broker listens there, or not at this address`],
  [
    /ETIMEDOUT|Heartbeat timeout/,
    (at) => `${at} does not answer: the host is down, or likely a firewall drops what is sent to it`,
  ],
  [/EHOSTUNREACH|ENETUNREACH|ENETDOWN/, (at) => `there is no route to ${at}`],
  [/ENOTFOUND/, (_, { host }) => `the name ${host.hostname} is unknown here (/etc/hosts, DNS)`],
  [/EAI_AGAIN/, (_, { host }) => `no name server answers for ${host.hostname}`],
  [
    /WRONG_VERSION_NUMBER|packet length too long/i,
    (at) => `${at} does not speak TLS: leave out ssl=1, or give the port of the TLS listener`,
  ],
  [
    /SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|CERT_SIGNATURE/i,
    (at) => `the certificate of ${at} is signed by none of those in ssl_ca_file`,
  ],
  [/CERT_HAS_EXPIRED/, (at) => `the certificate of ${at} has expired`],
  [/ALTNAME_INVALID/, (at, { host }) => `the certificate of ${at} is not for ${host.hostname}`],
  [/SSL|TLS/, (at) => `no TLS with ${at}`],
  [
    /opening handshake|ECONNRESET/,
    (at, { ssl }) =>
      `${at} closed the connection before it was open: ${ssl ? '' : 'it expects TLS (ssl=1), '}it is no RabbitMQ, or it is starting`,
  ],
  [/CONNECTION[_-]FORCED/, (at) => `${at} is shutting down or closed the connection by hand`],
]

/** `ACCESS_REFUSED for user openstack on controller:5672: …`; without a final full stop. */
export function explainBroker(error: unknown, attempt: Attempt): string {
  const text = describeError(error)
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const at = showHost(attempt.host)
  const found = causes.find(([pattern]) => pattern.test(code) || pattern.test(text))
  return found === undefined ? `${at}: ${text}` : found[1](at, attempt)
}
