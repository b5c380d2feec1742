/** Whether something listens at an address, and if not, how that looks. */
import { connect } from 'node:net'
import { type Finding, failure, ok } from './finding.ts'

export type Unreached = 'unknown name' | 'refused' | 'filtered' | 'no route' | 'failed'

export type Reached =
  | { reached: true; milliseconds: number }
  | { reached: false; how: Unreached; error: string }

const how: Readonly<Record<string, Unreached>> = {
  ENOTFOUND: 'unknown name',
  EAI_AGAIN: 'unknown name',
  ECONNREFUSED: 'refused',
  EHOSTUNREACH: 'no route',
  ENETUNREACH: 'no route',
  ETIMEDOUT: 'filtered',
}

/** Longer than any answer within a data centre takes. */
const patienceMilliseconds = 2000

export function reach(host: string, port: number, patience = patienceMilliseconds): Promise<Reached> {
  const started = performance.now()
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: patience })
    const end = (outcome: Reached): void => {
      socket.destroy()
      resolve(outcome)
    }
    socket.once('connect', () => end({ reached: true, milliseconds: performance.now() - started }))
    socket.once('timeout', () => end({ reached: false, how: 'filtered', error: 'no answer' }))
    socket.once('error', (error: NodeJS.ErrnoException) =>
      end({ reached: false, how: how[error.code ?? ''] ?? 'failed', error: error.message }),
    )
  })
}

/** A finding about a port; `where` is the setting that names it. */
export function portFinding(
  subject: string,
  at: { host: string; port: number },
  outcome: Reached,
  where: string,
): Finding {
  const { host, port } = at
  if (outcome.reached) return ok(subject, `answers in ${outcome.milliseconds.toFixed(0)} ms`)
  switch (outcome.how) {
    case 'unknown name':
      return failure(
        subject,
        `the name ${host} (${where}) is unknown on this host`,
        `Add it to /etc/hosts (ADDRESS ${host}) or to DNS, or correct the setting.`,
      )
    case 'refused':
      return failure(
        subject,
        `${host}:${port} (${where}) refuses the connection: nothing listens there`,
        'Is it started there, and does it listen on this address and not on 127.0.0.1 only? (ss -ltn on that host)',
      )
    case 'filtered':
      return failure(
        subject,
        `${host}:${port} (${where}) does not answer: likely a firewall drops what is sent to it, or the host is down`,
        openPort(host, port),
      )
    case 'no route':
      return failure(
        subject,
        `there is no route to ${host}:${port} (${where})`,
        `Look at: ip route get ${host}. Is the management interface up?`,
      )
    case 'failed':
      return failure(
        subject,
        `${host}:${port} (${where}): ${outcome.error}`,
        'Look at the setting and the host.',
      )
  }
}

/** How a port is opened in the firewalls that distributions come with. */
const openPort = (host: string, port: number): string =>
  `On ${host}: firewall-cmd --permanent --add-port=${port}/tcp && firewall-cmd --reload (firewalld); ` +
  `ufw allow ${port}/tcp (ufw); nft add rule inet filter input tcp dport ${port} accept (nftables); ` +
  `iptables -I INPUT -p tcp --dport ${port} -j ACCEPT`
