import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startWorld } from '#testing/world.ts'
import type { Send } from '../../base/http/client.ts'
import { setQuotas } from '../store/quotas.ts'
import { manageWorld } from './world.ts'

test("compute's quotas become limits in identity, once, and a dry run only tells of them", async () => {
  await using cloud = await startWorld({ hosts: 0 })
  const admin = cloud.as('admin')
  const send: Send = async ({ method, path, body }) =>
    await admin.identity(method, path.replace(/^\/v3/, ''), body)
  await using world = manageWorld({ quota: { instances: 10, cores: 20 } })
  world.deps.identity = async () => send
  await world.run('api_db sync')
  const projectId = await cloud.as('alice').projectId()
  const db = world.deps.apiDb()
  await setQuotas(db, { className: 'default' }, new Map([['cores', 40]]))
  await setQuotas(db, { projectId }, new Map([['instances', 3]]))
  const limits = async (name: 'limits' | 'registered_limits') =>
    (await cloud.as('alice').identity('GET', `/${name}`)).body[name].map(
      (one: Record<string, unknown>) =>
        `${one['resource_name']} ${one['resource_limit'] ?? one['default_limit']} ${one['project_id'] ?? ''}`,
    )
  const dry = await world.run('limits migrate_to_unified_limits --dry-run')
  assert.deepEqual(dry, {
    code: 0,
    output: [
      'Would create default limit servers = 10',
      'Would create default limit class:VCPU = 40',
      `Would create limit servers = 3 of project ${projectId}`,
    ].join('\n'),
  })
  assert.deepEqual(await limits('registered_limits'), [])
  assert.deepEqual(await world.run('limits migrate_to_unified_limits'), { code: 0, output: '' })
  assert.deepEqual((await limits('registered_limits')).sort(), ['class:VCPU 40 ', 'servers 10 '])
  assert.deepEqual(await limits('limits'), [`servers 3 ${projectId}`])
  const again = await world.run('limits migrate_to_unified_limits --verbose')
  assert.equal(again.code, 0)
  assert.equal(again.output.match(/Found in identity already/g)?.length, 3)
  const refused: Send = async () => ({ status: 403, headers: {}, body: { error: { message: 'No.' } } })
  world.deps.identity = async () => refused
  const { code, output } = await world.run('limits migrate_to_unified_limits')
  assert.equal(code, 1)
  assert.match(output, /Identity answered 403 to GET .*No\. .*system_scope = all/)
})
