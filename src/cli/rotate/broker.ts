import { existsSync } from 'node:fs'
import { readMessagingConfig } from '../../base/bus/open.ts'
import { connect } from '../../base/bus/rabbit/connect.ts'
import { parseTransportUrl } from '../../base/bus/transport-url.ts'
import { describeError, Fault } from '../../base/errors.ts'
import type { Run } from '../../linux/run.ts'
import { inUrl } from '../init/config-files.ts'
import type { ControllerStore } from '../init/store.ts'
import { inPath } from '../up/packages.ts'

/** The user openstack of the broker gets the password of now. A Fault says what to do where the broker is elsewhere. */
export async function renewBrokerPassword(
  { settings, secrets }: Pick<ControllerStore, 'settings' | 'secrets'>,
  run: Run,
): Promise<void> {
  const url = `rabbit://openstack:${secrets.rabbit}@${inUrl(settings.controller)}`
  if (await letsIn(url)) return
  if (!inPath('rabbitmqctl').some(existsSync)) {
    throw new Fault(
      'unavailable',
      'There is no rabbitmqctl on this host. On the broker: rabbitmqctl change_password openstack, with the password in transport_url of nova.conf; then run this again.',
    )
  }
  // By standard input, for `ps` shows a command line to everyone.
  await run('rabbitmqctl', ['change_password', 'openstack'], { input: `${secrets.rabbit}\n` })
  if (!(await letsIn(url))) {
    throw new Fault(
      'unavailable',
      `RabbitMQ at ${settings.controller} does not let the user openstack in with its new password; rabbitmqctl list_users tells whether there is one.`,
    )
  }
}

async function letsIn(url: string): Promise<boolean> {
  const { hosts, virtualHost, query } = parseTransportUrl(url)
  const config = readMessagingConfig({}, query)
  try {
    const connection = await connect({
      host: hosts[0]!,
      virtualHost,
      config,
      name: 'kilonova rotate-secrets',
    })
    await connection.close()
    return true
  } catch (error) {
    if (/ACCESS_REFUSED|403/.test(describeError(error))) return false
    throw new Fault('unavailable', `RabbitMQ at ${hosts[0]?.hostname} does not answer.`, {}, error)
  }
}
