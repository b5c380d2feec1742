import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalIp, eui64, formatCidr, formatIp, hostRange, parseCidr, parseIp, subtract } from './ip.ts'

test('every address reads back as it was written', () => {
  fc.assert(
    fc.property(fc.bigInt(0n, (1n << 128n) - 1n), (value) => {
      assert.equal(parseIp(formatIp(6, value))?.value, value)
    }),
  )
  fc.assert(
    fc.property(fc.bigInt(0n, (1n << 32n) - 1n), (value) => {
      assert.equal(parseIp(formatIp(4, value))?.value, value)
    }),
  )
})

test('IPv6 addresses have one text, that of RFC 5952', () => {
  const cases = [
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['::', '::'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['::ffff:10.0.0.1', '::ffff:a00:1'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
    ['1:2:3:4:5:6:7:0', '1:2:3:4:5:6:7:0'],
  ]
  for (const [given, wanted] of cases) assert.equal(canonicalIp(given!), wanted)
})

test('networks drop the bits of the host, and nonsense is no network', () => {
  assert.equal(formatCidr(parseCidr('10.1.2.3/24')!), '10.1.2.0/24')
  assert.equal(formatCidr(parseCidr('10.1.2.3')!), '10.1.2.3/32')
  assert.equal(formatCidr(parseCidr('2001:db8::5/64')!), '2001:db8::/64')
  for (const text of [
    '',
    '10.0.0/8',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    'fe80::1%eth0',
    '300.1.1.1',
  ])
    assert.equal(parseCidr(text), undefined, text)
})

test('hosts may have all but the first and last address of an IPv4 subnet', () => {
  const show = (text: string) => {
    const cidr = parseCidr(text)!
    const { first, last } = hostRange(cidr)
    return `${formatIp(cidr.version, first)}-${formatIp(cidr.version, last)}`
  }
  assert.equal(show('10.0.0.0/24'), '10.0.0.1-10.0.0.254')
  assert.equal(show('10.0.0.0/31'), '10.0.0.0-10.0.0.1')
  assert.equal(show('10.0.0.7/32'), '10.0.0.7-10.0.0.7')
  assert.equal(show('fd00::/126'), 'fd00::1-fd00::3')
})

test('ranges are cut where others are taken out', () => {
  assert.deepEqual(
    subtract(
      [{ first: 1n, last: 10n }],
      [
        { first: 5n, last: 5n },
        { first: 9n, last: 20n },
      ],
    ),
    [
      { first: 1n, last: 4n },
      { first: 6n, last: 8n },
    ],
  )
})

test('a SLAAC address is made of the MAC address', () => {
  assert.equal(eui64(parseCidr('2001:db8:1::/64')!, 'fa:16:3e:12:34:56'), '2001:db8:1:0:f816:3eff:fe12:3456')
})
