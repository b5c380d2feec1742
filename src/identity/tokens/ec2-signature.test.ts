import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { type Ec2Request, isEc2Signature, isS3Signature, parseSigningTime } from './ec2-signature.ts'

// The signatures are those that python3-keystoneclient's signer makes with the secret `secret`.
const scope = 'key/20261123/RegionOne/ec2/aws4_request'
const date = '20261123T120000Z'
const request: Ec2Request = {
  verb: 'GET',
  host: 'cloud:8788',
  path: '/',
  params: { Action: 'DescribeInstances' },
  headers: {
    Authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host;x-amz-date, Signature=x`,
    'X-Amz-Date': date,
  },
  bodyHash: 'd2c784fddd5cb885f870e1ea4d0e9cf479296ad64ca693b8e26d872b0cfa3689',
}

test('version 2 signs verb, host, path and parameters, with the port or without', () => {
  const params = { SignatureVersion: '2', Action: 'DescribeInstances', 'Filter.1.Name': "a b/c*'(é)~" }
  const old = { ...request, path: '/services/Cloud/', params, headers: {} }
  assert.ok(isEc2Signature(old, 'secret', 'taFGVvQaVKDOpR6/LebROOJ8t+xvK1j0QwoeXy/y7hE='))
  assert.ok(isEc2Signature(old, 'secret', 'oSiHI2SQjN1L99tJ4z9h0NB75rh7dVN+hGcfbAAsyj8='))
  assert.ok(!isEc2Signature(old, 'other', 'taFGVvQaVKDOpR6/LebROOJ8t+xvK1j0QwoeXy/y7hE='))
  const changed = { ...old, params: { ...params, Action: 'TerminateInstances' } }
  assert.ok(!isEc2Signature(changed, 'secret', 'taFGVvQaVKDOpR6/LebROOJ8t+xvK1j0QwoeXy/y7hE='))
})

test('version 4 signs what the header or the query says it signs', () => {
  const right = '2ccfbf3096be141f22991e6f2df802530d4dbcd5caf5b61e241b3b203f620739'
  assert.ok(isEc2Signature(request, 'secret', right))
  assert.ok(!isEc2Signature({ ...request, bodyHash: 'other' }, 'secret', right))
  const post = { ...request, verb: 'POST' }
  assert.ok(
    isEc2Signature(post, 'secret', '59b0e9574613875a0651a9f2875d1b7c596a35537cb0f75084918fe813af6149'),
  )
  const params = {
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': scope,
    'X-Amz-Date': date,
    'X-Amz-SignedHeaders': 'host',
    Action: 'A',
  }
  const inQuery = { ...request, params, headers: {}, bodyHash: 'e' }
  assert.ok(
    isEc2Signature(inQuery, 'secret', 'e2267fa36ec487d7caaf4b6861784dbdfa07b2d0e6319605c6a27f6c36ceb82d'),
  )
  const otherDay = { ...request, headers: { ...request.headers, 'X-Amz-Date': '20261124T120000Z' } }
  assert.ok(!isEc2Signature(otherDay, 'secret', right))
  assert.ok(!isEc2Signature({ ...request, headers: {} }, 'secret', right))
})

test('S3 has the text itself signed, by the secret or by a key of its day, region and service', () => {
  const text = Buffer.from('GET\n\n\nMon, 23 Nov 2026 12:00:00 GMT\n/bucket')
  const signature = createHmac('sha1', 'secret').update(text).digest('base64')
  assert.ok(isS3Signature(text, 'secret', signature))
  assert.ok(!isS3Signature(text, 'other', signature))
  const foreign = Buffer.from(`AWS4-HMAC-SHA256\n${date}\n20261123/RegionOne/ec2/aws4_request\nhash`)
  assert.ok(!isS3Signature(foreign, 'secret', signature))
})

test('times are read in both of their forms', () => {
  const at = Date.parse('2026-11-23T12:00:00Z')
  assert.equal(parseSigningTime(date), at)
  assert.equal(parseSigningTime('2026-11-23T12:00:00Z'), at)
  assert.equal(parseSigningTime('2026-11-23T12:00:00'), at)
  assert.ok(Number.isNaN(parseSigningTime('noon')))
})
