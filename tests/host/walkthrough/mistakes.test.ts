/** The author's mistakes: each is found and named, with file and line or host and port, and told how to mend. */
import { after, before, describe, test } from 'node:test'
import type { Lab } from '../../../src/cli/lab/lab.ts'
import { cannotRunLabs, startRig } from '../rig/rig.ts'
import { play, readTranscript } from './play.ts'

describe("the author's mistakes", { skip: cannotRunLabs() }, () => {
  let lab: Lab
  before(async () => {
    lab = await startRig('mariadb')
    for (const { name } of lab.plan.hosts) await lab.run(name, ['kilonova', 'units'])
  })
  after(async () => {
    await lab?.[Symbol.asyncDispose]()
  })

  test('are found, named, and gone once what is said about them is done', async () => {
    const playing = { lab, loggedIn: new Set<string>() }
    const identity = readTranscript('before')
    const end = identity.findIndex((step) => step.kind === 'shell' && step.command === '. admin-openrc')
    await play(playing, identity.slice(0, end), 'before')
    await play(playing, readTranscript('mistakes'), 'mistakes')
  })
})
