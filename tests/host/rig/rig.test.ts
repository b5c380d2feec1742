/** What every test on the rig relies on. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { findLab, type Lab, removeLab } from '../../../src/cli/lab/lab.ts'
import { Connection } from '../../../src/compute/virt/libvirt/rpc/connection.ts'
import { run, until } from '../cloud.ts'
import { cannotRunLabs, namespacesOf, processesIn, startRig } from './rig.ts'

const skip = cannotRunLabs()

/** Whether a TCP connection from a host comes about: `open`, `refused`, or `filtered` when nothing answers. */
async function knock(lab: Lab, from: string, to: string, port: number): Promise<string> {
  const { code, stderr } = await lab.attempt(from, [
    'timeout',
    '2',
    'bash',
    '-c',
    `: > /dev/tcp/${to}/${port}`,
  ])
  if (code === 0) return 'open'
  return stderr.includes('refused') ? 'refused' : 'filtered'
}

describe('a lab on MariaDB', { skip }, () => {
  let lab: Lab
  before(async () => {
    lab = await startRig('mariadb')
  })
  after(async () => {
    await lab?.[Symbol.asyncDispose]()
  })

  test('hosts know each other by name, and have host name, files and processes of their own', async () => {
    for (const { name } of lab.plan.hosts) {
      assert.equal((await lab.run(name, ['hostname'])).trim(), name)
      for (const other of lab.plan.hosts) await lab.run(name, ['ping', '-c1', '-W2', other.name])
    }
    await lab.run('compute1', ['bash', '-c', 'echo "[DEFAULT]" > /etc/nova/nova.conf'])
    assert.equal(readFileSync(lab.path('compute1', '/etc/nova/nova.conf'), 'utf8'), '[DEFAULT]\n')
    assert.equal(existsSync(lab.path('compute2', '/etc/nova/nova.conf')), false)
    const processes = await lab.run('compute1', ['ps', '-e', '-o', 'comm='])
    assert.doesNotMatch(processes, /mariadbd|beam/)
    const outside = await lab.attempt('compute1', ['touch', '/usr/bin/not-of-this-machine'])
    assert.notEqual(outside.code, 0)
    assert.equal((await lab.run('controller', ['id', '-un'], { user: 'nova' })).trim(), 'nova')
    const asNova = ['su', '-s', '/bin/sh', '-c', 'kilonova --help', 'nova']
    assert.match(await lab.run('controller', asNova), /^Usage: kilonova/)
  })

  test('database, message queue and cache on the controller serve the other hosts', async () => {
    const sql = "CREATE DATABASE rig; GRANT ALL PRIVILEGES ON rig.* TO 'rig'@'%' IDENTIFIED BY 'rig';"
    await lab.run('controller', ['mysql', '-uroot'], { input: sql })
    const rows = await lab.run('compute1', [
      'mysql',
      '-hcontroller',
      '-urig',
      '-prig',
      '-N',
      '-e',
      'SHOW DATABASES',
    ])
    assert.match(rows, /^rig$/m)
    await lab.run('controller', ['rabbitmqctl', 'add_user', 'openstack', 'openstack'])
    await lab.run('controller', ['rabbitmqctl', 'set_permissions', 'openstack', '.*', '.*', '.*'])
    assert.match(await lab.run('controller', ['rabbitmqctl', '-q', 'list_users']), /^openstack\t/m)
    assert.equal(await knock(lab, 'compute1', 'controller', 5672), 'open')
    assert.equal(await knock(lab, 'compute2', 'controller', 11211), 'open')
    assert.equal(await knock(lab, 'compute1', 'controller', 8774), 'refused')
  })

  test('a closed firewall port is silent, and open again without its rule', async () => {
    const rule = ['INPUT', '-p', 'tcp', '--dport', '5672', '-i', lab.plan.managementInterface, '-j', 'DROP']
    await lab.run('controller', ['iptables', '-I', ...rule])
    assert.equal(await knock(lab, 'compute1', 'controller', 5672), 'filtered')
    assert.equal(await knock(lab, 'compute1', 'controller', 11211), 'open')
    await lab.run('controller', ['iptables', '-D', ...rule])
    assert.equal(await knock(lab, 'compute1', 'controller', 5672), 'open')
  })

  test('a host that is cut off hears nothing until it is healed', async () => {
    const ping = async () => (await lab.attempt('controller', ['ping', '-c1', '-W1', 'compute2'])).code === 0
    await lab.cut('compute2')
    assert.deepEqual(await lab.cutFrom('compute2'), ['management', 'provider'])
    assert.equal(await ping(), false)
    assert.equal((await lab.attempt('controller', ['ping', '-c1', '-W1', 'compute1'])).code, 0)
    await lab.heal('compute2')
    assert.deepEqual(await lab.cutFrom('compute2'), [])
    assert.ok(await until('compute2 answers', 10, ping))
  })

  test('a service that is killed is started again, one that is stopped is not', async () => {
    const main = async () =>
      (await lab.run('controller', ['cat', '/run/lab/units/memcached.service/main.pid'])).trim()
    const first = await main()
    await lab.kill('controller', 'memcached')
    await until('memcached is back', 20, async () => {
      const { code } = await lab.attempt('controller', ['systemctl', 'is-active', 'memcached'])
      return code === 0 && (await main()) !== first
    })
    assert.equal((await lab.attempt('controller', ['systemctl', 'is-active', 'memcached'])).code, 0)
    await lab.stop('controller', 'memcached')
    assert.equal(await knock(lab, 'compute1', 'controller', 11211), 'refused')
    await lab.start('controller', 'memcached')
    assert.equal(await knock(lab, 'compute1', 'controller', 11211), 'open')
  })

  test('a unit that tells when it is ready is waited for, and one that fails says why', async () => {
    const unit = (script: string) =>
      `[Service]\nType=notify\nUser=nova\nLogsDirectory=nova\nExecStart=/bin/sh -c '${script}'\n`
    const units = lab.path('compute1', '/etc/systemd/system')
    const script = 'id -un > $$LOGS_DIRECTORY/who; systemd-notify READY=1 STATUS=running; exec sleep 1000'
    writeFileSync(join(units, 'good.service'), unit(script))
    await lab.run('compute1', ['systemctl', 'start', 'good'])
    assert.equal(readFileSync(lab.path('compute1', '/var/log/nova/who'), 'utf8'), 'nova\n')
    assert.equal((await lab.run('compute1', ['systemctl', 'is-active', 'good'])).trim(), 'active')
    writeFileSync(join(units, 'bad.service'), unit('echo no database; exit 3'))
    const failed = await lab.attempt('compute1', ['systemctl', 'start', 'bad'])
    assert.equal(failed.code, 1)
    assert.match(failed.stderr, /bad\.service ended before it was ready:\nno database/)
    assert.equal((await lab.attempt('compute1', ['systemctl', 'is-active', 'bad'])).stdout.trim(), 'failed')
    await lab.stop('compute1', 'good')
  })

  test('each compute host has a libvirtd of its own', async () => {
    for (const host of ['compute1', 'compute2']) {
      await lab.start(host, 'libvirtd')
      assert.ok(await Connection.answers(lab.path(host, '/run/libvirt/libvirt-sock')))
    }
    await lab.stop('compute2', 'libvirtd')
    assert.ok(await Connection.answers(lab.path('compute1', '/run/libvirt/libvirt-sock')))
    assert.equal(await Connection.answers(lab.path('compute2', '/run/libvirt/libvirt-sock')), false)
  })

  test('a second lab runs beside the first, and neither leaves anything', async () => {
    const second = await startRig('postgresql')
    const namespaces = namespacesOf(second)
    assert.ok(processesIn(namespaces).length > 0)
    assert.ok(await findLab(second.directory))
    await second.run('controller', ['psql', '-c', 'CREATE DATABASE rig'], { user: 'postgres' })
    assert.equal(await knock(second, 'compute1', 'controller', 5432), 'open')
    assert.equal(await knock(lab, 'compute1', 'controller', 5432), 'refused')
    assert.equal(await removeLab(second.directory, () => undefined), true)
    assert.deepEqual(processesIn(namespaces), [])
    assert.equal(existsSync(second.directory), false)
    assert.equal(await removeLab(second.directory, () => undefined), false)
    const { stdout } = await run('cat', ['/proc/self/mountinfo'])
    assert.doesNotMatch(stdout, new RegExp(second.directory))
    assert.equal(await knock(lab, 'compute1', 'controller', 3306), 'open')
  })
})
