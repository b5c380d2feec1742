/** `kilonova lab`, as somebody tries it who wants to see a cloud of several hosts. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { requireLab } from '../../../src/cli/lab/lab.ts'
import { run } from '../cloud.ts'
import { cannotRunLabs, namespacesOf, processesIn } from './rig.ts'

const kilonova = join(import.meta.dirname, '../../../kilonova')

test('lab up gives a cloud of three hosts that boots a server, lab down leaves nothing of it', {
  skip: cannotRunLabs(),
}, async () => {
  const parent = mkdtempSync(join(tmpdir(), 'kilonova-lab-'))
  const directory = join(parent, 'lab')
  const lab = (command: string, ...args: string[]) =>
    run(kilonova, ['lab', command, '--directory', directory, ...args])
  try {
    assert.equal((await lab('status')).code, 3)
    const up = await lab('up', '--yes')
    assert.equal(up.code, 0, up.stdout + up.stderr)
    assert.match(up.stdout, /compute2 +│ 10\.0\.0\.32 +│ connected/)
    assert.match((await lab('up')).stdout, /is up already; nothing was changed/)
    assert.equal((await lab('status')).code, 0)
    const refused = await lab('up', '--database', 'postgresql')
    assert.match(refused.stderr, /runs on mariadb/)
    const create =
      '. ./admin-openrc; openstack server create --image kilonova --flavor m1.nano --network provider --key-name kilonova --wait -c status -f value first'
    const created = await lab('enter', 'controller', 'bash', '-c', create)
    assert.equal(created.stdout.trim(), 'ACTIVE', created.stderr)
    assert.equal((await lab('enter', 'nowhere', 'true')).code, 1)
    const namespaces = namespacesOf(await requireLab(directory))
    const down = await lab('down')
    assert.match(down.stdout, /Nothing of the lab is left/)
    assert.deepEqual(processesIn(namespaces), [])
    assert.equal(existsSync(directory), false)
  } finally {
    await lab('down')
    rmSync(parent, { recursive: true, force: true })
  }
})
