import assert from 'node:assert/strict'
import { test } from 'node:test'
import { installLine, packageTool } from './distribution.ts'
import { cloudNeeds } from './packages.ts'

test('the line that installs packages is that of the distribution, and both where it is unknown', () => {
  assert.equal(packageTool('NAME="Debian GNU/Linux"\nID=debian\n'), 'apt')
  assert.equal(packageTool('ID=linuxmint\nID_LIKE="ubuntu debian"\n'), 'apt')
  assert.equal(packageTool('NAME="Rocky Linux"\nID="rocky"\nID_LIKE="rhel centos fedora"\n'), 'dnf')
  assert.equal(packageTool('ID=alpine\n'), null)
  const needs = cloudNeeds.filter(({ package: name }) =>
    ['iptables', 'ebtables', 'dnsmasq-base'].includes(name),
  )
  assert.equal(
    installLine(needs, 'apt'),
    'apt-get install --no-install-recommends iptables ebtables dnsmasq-base',
  )
  assert.equal(installLine(needs, 'dnf'), 'dnf install --setopt=install_weak_deps=False iptables-nft dnsmasq')
  assert.match(installLine(needs, null), /^apt-get .* or dnf install /)
})

test('a package that servers can do without says what they lose', () => {
  const optional = cloudNeeds.filter(({ without }) => without !== undefined)
  assert.deepEqual(
    optional.map((need) => need.package),
    ['genisoimage', 'openssh-client', 'iputils-ping'],
  )
})
