/** The swap matrix: ten clouds on one lab, each with one service of the other kind, and a server's life in each. */
import assert from 'node:assert/strict'
import { copyFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { guestImage } from '../../../src/cli/lab/cloud/install.ts'
import { secretsOf } from '../../../src/cli/lab/cloud/secrets.ts'
import type { Lab } from '../../../src/cli/lab/lab.ts'
import { defaultPlan } from '../../../src/cli/lab/plan.ts'
import { table } from '../../../src/cli/terminal/table.ts'
import { peopleOf } from '../../../src/testing/cloud-people.ts'
import { cannotRunGuests } from '../cloud.ts'
import { type Reach, reachLab } from '../rig/reach.ts'
import { cannotRunLabs, startRig } from '../rig/rig.ts'
import { type Cell, cells, kindOf, titleOf } from './cells.ts'
import { endCloud, prepareLab, startCloud } from './cloud.ts'
import { whyNoOriginals } from './debian.ts'
import { bootServer, deleteServer, untilGuestSpeaks, untilNothingIsLeft } from './server.ts'

const skip = cannotRunLabs() || cannotRunGuests() || whyNoOriginals()

async function live(lab: Lab, reach: Reach, cell: Cell): Promise<string> {
  // Logs in anew: identity is another one in each cell.
  const admin = peopleOf(() => reach.sends, secretsOf(lab.directory).admin)('admin')
  await startCloud(lab, cell, admin)
  await bootServer(lab, admin)
  // The original nova has its fake driver here.
  const isReal = kindOf(cell, 'nova') === 'ours'
  if (isReal) await untilGuestSpeaks(lab)
  await deleteServer(lab)
  await untilNothingIsLeft(lab, admin)
  return isReal ? 'ACTIVE; the guest has its address and its metadata' : 'ACTIVE, with an address'
}

describe('the swap matrix', { skip }, () => {
  const rows: string[][] = []
  let lab: Lab
  let reach: Reach

  before(async () => {
    const [controller, compute] = defaultPlan().hosts
    assert.ok(controller !== undefined && compute !== undefined)
    lab = await startRig('mariadb', { hosts: [controller, compute] })
    copyFileSync(await guestImage(lab), lab.path(controller.name, '/root/kilonova.qcow2'))
    await prepareLab(lab)
    reach = await reachLab(lab)
  })

  after(async () => {
    await reach?.[Symbol.asyncDispose]()
    await lab?.[Symbol.asyncDispose]()
    if (rows.length > 0) console.log(table(['cell', 'result', 'reason', 'seconds'], rows))
  })

  for (const cell of cells) {
    test(titleOf(cell), async () => {
      const start = Date.now()
      const note = (result: string, reason: string) =>
        rows.push([titleOf(cell), result, reason, ((Date.now() - start) / 1000).toFixed(0)])
      try {
        note('holds', await live(lab, reach, cell))
      } catch (error) {
        note('fails', error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error))
        throw error
      } finally {
        await endCloud(lab)
      }
    })
  }
})
