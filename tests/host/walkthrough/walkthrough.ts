/** The walk-through on a lab: its commands in its order, its files, its tables; then two servers. */
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createLogger } from '../../../src/base/log.ts'
import type { Lab } from '../../../src/cli/lab/lab.ts'
import type { Database } from '../../../src/cli/lab/plan.ts'
import { buildGuestImage } from '../../../src/compute/virt/guest-image/build.ts'
import { hostRun } from '../../../src/linux/run.ts'
import { cannotRunLabs, startRig } from '../rig/rig.ts'
import { type Playing, play, readTranscript } from './play.ts'
import { bootServers, deleteServers, nothingIsRoot } from './servers.ts'

/** Registers the tests. Each goes on from where the one before it ended. */
export function walkThrough(database: Database): void {
  describe(`the walk-through on ${database}`, { skip: cannotRunLabs() }, () => {
    let lab: Lab
    let playing: Playing
    before(async () => {
      lab = await startRig(database)
      playing = { lab, loggedIn: new Set() }
      const log = createLogger({ level: 'silent' })
      const image = await buildGuestImage({ directory: join(lab.directory, 'image'), run: hostRun(log), log })
      copyFileSync(image, lab.path('controller', '/root/cirros.qcow2'))
      for (const { name } of lab.plan.hosts) {
        await lab.run(name, ['kilonova', 'units'])
      }
    })
    after(async () => {
      await lab?.[Symbol.asyncDispose]()
    })

    test('what it takes for granted: identity, images and a message queue', async () => {
      await play(playing, readTranscript('before'), 'before')
    })
    test('its commands end in its tables', async () => {
      await play(playing, readTranscript('seed'), 'seed')
    })
    test('a flat network, a flavor and a key pair', async () => {
      await play(playing, readTranscript('after'), 'after')
    })
    test('a server on each compute host: they reach each other and their metadata', () => bootServers(lab))
    test('no program of OpenStack is root, nor are dnsmasq and haproxy', () => nothingIsRoot(lab))
    test('both are deleted, and leave nothing on their hosts', () => deleteServers(lab))
  })
}
