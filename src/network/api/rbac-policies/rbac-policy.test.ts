import assert from 'node:assert/strict'
import { test } from 'node:test'
import { made, testNetwork } from '../../test-network.ts'

test('a network is shared with one project, and not taken away while that uses it', async () => {
  await using cloud = await testNetwork()
  const red = cloud.as('member:red')
  const network = await made(cloud.member, '/networks', 'network', {})
  const policy = {
    object_type: 'network',
    object_id: network.id,
    action: 'access_as_shared',
    target_tenant: 'red',
  }
  const made1 = await made(cloud.member, '/rbac-policies', 'rbac_policy', policy)
  assert.equal(made1.target_tenant, 'red')
  const seen = await red('GET', `/networks/${network.id}`)
  assert.equal(seen.body.network.shared, true)
  assert.equal((await cloud.member('GET', `/networks/${network.id}`)).body.network.shared, false)
  assert.equal((await cloud.as('member:green')('GET', `/networks/${network.id}`)).status, 404)
  const port = await made(red, '/ports', 'port', { network_id: network.id })
  const inUse = await cloud.member('DELETE', `/rbac-policies/${made1.id}`)
  assert.deepEqual([inUse.status, inUse.body.NeutronError.type], [409, 'RbacPolicyInUse'])
  const moved = await cloud.member('PUT', `/rbac-policies/${made1.id}`, {
    rbac_policy: { target_tenant: 'green' },
  })
  assert.equal(moved.status, 409)
  await red('DELETE', `/ports/${port.id}`)
  assert.equal((await cloud.member('DELETE', `/rbac-policies/${made1.id}`)).status, 204)
  assert.equal((await red('GET', `/networks/${network.id}`)).status, 404)
})

test('what may not be shared is refused', async () => {
  await using cloud = await testNetwork()
  const network = await made(cloud.member, '/networks', 'network', {})
  const foreign = await made(cloud.admin, '/networks', 'network', {})
  const ask = async (values: object) => {
    const rbac_policy = {
      object_type: 'network',
      object_id: network.id,
      action: 'access_as_shared',
      target_tenant: 'red',
      ...values,
    }
    const answer = await cloud.member('POST', '/rbac-policies', { rbac_policy })
    return answer.status === 201 ? '201' : `${answer.status} ${answer.body.NeutronError.type}`
  }
  assert.equal(await ask({ target_tenant: '*' }), '403 PolicyNotAuthorized')
  assert.equal(await ask({ object_type: 'moon' }), '400 InvalidInput')
  assert.equal(await ask({ action: 'access_as_friend' }), '400 InvalidInput')
  assert.equal(await ask({ object_id: foreign.id }), '400 InvalidInput')
  assert.equal(await ask({ object_id: '00000000-0000-4000-8000-000000000000' }), '404 NetworkNotFound')
  assert.equal(await ask({}), '201')
  assert.equal(await ask({}), '409 DuplicateRbacPolicy')
})

test('a shared security group can be used and is gone for others when it is deleted', async () => {
  await using cloud = await testNetwork()
  const red = cloud.as('member:red')
  const group = await made(cloud.member, '/security-groups', 'security_group', { name: 'web' })
  const policy = await made(cloud.member, '/rbac-policies', 'rbac_policy', {
    object_type: 'security_group',
    object_id: group.id,
    action: 'access_as_shared',
    target_tenant: 'red',
  })
  const network = await made(red, '/networks', 'network', {})
  const port = await made(red, '/ports', 'port', { network_id: network.id, security_groups: [group.id] })
  assert.equal((await cloud.member('DELETE', `/rbac-policies/${policy.id}`)).status, 409)
  await red('DELETE', `/ports/${port.id}`)
  assert.equal((await cloud.member('DELETE', `/security-groups/${group.id}`)).status, 204)
  assert.deepEqual((await cloud.member('GET', '/rbac-policies')).body.rbac_policies, [])
})
