import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertWellFormed, isSignedWith, oauthParameters } from './oauth1-signature.ts'

// The example of RFC 5849, section 1.2: a request for a photo, signed with both secrets.
const authorization = `OAuth realm="Photos",
  oauth_consumer_key="dpf43f3p2l4k3l03", oauth_token="nnch734d00sl2jdk", oauth_signature_method="HMAC-SHA1",
  oauth_timestamp="137131202", oauth_nonce="chapoH", oauth_signature="MdpQcU8iPSUjWoN%2FUDMsK2sui9I%3D"`
const request = {
  method: 'GET',
  url: 'http://photos.example.net/photos?file=vacation.jpg&size=original',
  authorization,
  now: 1371312020_000,
}
const secrets = { consumer: 'kd94hf93k423kf44', token: 'pfkkdhi9sl3r4s00' }

test('a signature holds for the request that was signed, with the secrets that signed it', () => {
  const parameters = oauthParameters(authorization)
  assert.ok(isSignedWith(parameters, request, secrets))
  assert.ok(!isSignedWith(parameters, { ...request, method: 'POST' }, secrets))
  assert.ok(!isSignedWith(parameters, { ...request, url: `${request.url}&x=1` }, secrets))
  assert.ok(!isSignedWith(parameters, request, { ...secrets, token: 'other' }))
})

test('a header that says too little, twice, or is too old is told what is wrong', () => {
  const check = (header: string) => () => assertWellFormed(oauthParameters(header), request)
  const good = authorization.replace('137131202', '1371312020')
  assert.doesNotThrow(check(good))
  assert.throws(check(authorization), /timestamp size/)
  assert.throws(check(good.replace('1371312020', '1371300000')), /600 seconds/)
  assert.throws(check(good.replace('oauth_nonce="chapoH",', '')), /Missing mandatory/)
  assert.throws(check(`${good}, oauth_nonce="other"`), /Duplicate/)
  assert.throws(check(good.replace('HMAC-SHA1', 'RSA-SHA1')), /signature method RSA-SHA1/)
  assert.throws(check('Basic eDp5'), /Authorization/)
  assert.throws(check('OAuth oauth_nonce'), /Malformed/)
})
