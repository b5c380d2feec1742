/**
 * Runs on the controller, once identity answers: service users, services and endpoints; with `firstThings` what a user
 * needs at once. Takes its settings as JSON on standard input.
 */
import { text } from 'node:stream/consumers'
import { describeError, isFault } from '../../../base/errors.ts'
import { passwordAuthenticator } from '../../../identity/client.ts'
import { adminClient } from '../../admin-client.ts'
import { registerServices, type Registration as Services, sendsTo } from '../../init/register-services.ts'
import { firstStart, uploadBy } from '../../up/first-start.ts'

export interface Registration extends Services {
  adminPassword: string
  firstThings?: { directory: string; imageFile: string; providerCidr: string }
}

try {
  const registration = JSON.parse(await text(process.stdin)) as Registration
  const { controller, adminPassword, firstThings } = registration
  const sends = sendsTo(controller)
  const admin = await adminClient(sends, adminPassword)
  if (firstThings === undefined) await registerServices({ admin, identity: sends.identity }, registration)
  else {
    const { imageFile, directory, providerCidr } = firstThings
    const administrator = { username: 'admin', password: adminPassword, projectName: 'admin' }
    await firstStart({
      stateDir: directory,
      admin,
      providerCidr,
      guestImage: async () => ({
        name: 'kilonova',
        file: imageFile,
        diskFormat: 'qcow2',
        properties: { hw_rng_model: 'virtio' },
      }),
      upload: uploadBy(sends.image, passwordAuthenticator(sends.identity, administrator)),
      onProgress: () => undefined,
    })
  }
} catch (error) {
  console.error(isFault(error) ? describeError(error) : error)
  process.exitCode = 1
}
