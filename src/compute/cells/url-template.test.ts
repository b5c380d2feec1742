import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fillUrl, maskUrl } from './url-template.ts'

test('a template is filled from the configured URL', () => {
  const configured = 'mysql+pymysql://nova:s3cret@controller:3307/nova?charset=utf8'
  assert.equal(
    fillUrl('{scheme}://{username}:{password}@{hostname}:{port}/nova_cell1?{query}', configured),
    'mysql+pymysql://nova:s3cret@controller:3307/nova_cell1?charset=utf8',
  )
  assert.equal(fillUrl('sqlite:////x', configured), 'sqlite:////x')
  assert.equal(fillUrl('{scheme}://a', null), '{scheme}://a')
})

test('several hosts have numbers, and every password is masked', () => {
  const configured = 'rabbit://a:b@one:5672,c:d@two/vhost'
  assert.equal(
    fillUrl(
      'rabbit://{username1}:{password1}@{hostname1},{username2}:{password2}@{hostname2}/{path}',
      configured,
    ),
    'rabbit://a:b@one,c:d@two/vhost',
  )
  assert.equal(maskUrl(configured), 'rabbit://a:****@one:5672,c:****@two/vhost')
  assert.equal(maskUrl('mysql+pymysql://nova:pw@h/nova'), 'mysql+pymysql://nova:****@h/nova')
  assert.equal(maskUrl('none:///'), 'none:/')
})
