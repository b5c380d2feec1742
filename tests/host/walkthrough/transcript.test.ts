import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compareTable, matches, parseTable } from './table.ts'
import { editIni, parseTranscript } from './transcript.ts'

test('a transcript is prompts with what belongs to them', () => {
  const steps = parseTranscript(
    [
      '; remark',
      'MariaDB [(none)]> CREATE DATABASE nova;',
      '[root@controller ~]# edit /etc/nova/nova.conf',
      '    [DEFAULT]',
      '    my_ip = 1',
      '[root@computer neutron]# openstack user create --password-prompt nova',
      '< nova',
      '| name | nova |',
      '> it * so',
    ].join('\n'),
  )
  assert.deepEqual(steps, [
    { kind: 'sql', line: 2, sql: 'CREATE DATABASE nova;' },
    {
      kind: 'edit',
      line: 3,
      host: 'controller',
      file: '/etc/nova/nova.conf',
      text: '[DEFAULT]\nmy_ip = 1\n',
    },
    {
      kind: 'shell',
      line: 6,
      host: 'computer',
      command: 'openstack user create --password-prompt nova',
      answers: ['nova'],
      lines: ['it * so'],
      failures: [],
      rows: [['name', 'nova']],
    },
  ])
  assert.throws(() => parseTranscript('| a | row of nothing |'), /line 1 is no prompt/)
})

test('options are set in their sections, whenever these come', () => {
  const first = editIni('', '[DEFAULT]\na = 1\n[api]\nb = 2\n[DEFAULT]\nc = 3\n')
  assert.equal(first, '[DEFAULT]\na = 1\nc = 3\n\n[api]\nb = 2\n')
  assert.equal(editIni(first, '[neutron]\nd = 4\n'), `${first}\n[neutron]\nd = 4\n`)
})

const services = `
+----+--------+-------+
| ID | Binary | State |
+----+--------+-------+
|  1 | nova-a | up    |
|  2 | nova-b | down  |
+----+--------+-------+
`

test('a table under its heading has these rows and no more, without it at least these', () => {
  const heading = ['ID', 'Binary', 'State']
  assert.deepEqual(compareTable(services, [['*', 'nova-a', 'up']]), [])
  assert.deepEqual(compareTable(services, [heading, ['*', 'nova-a', 'up']]), [
    'has besides | 2 | nova-b | down |',
  ])
  assert.deepEqual(compareTable(services, [heading, ['*', 'nova-a', 'up'], ['*', 'nova-b', 'up']]), [
    'lacks | * | nova-b | up |',
    'has besides | 2 | nova-b | down |',
  ])
  assert.deepEqual(compareTable('nothing', [heading]), ['there is no table'])
})

test('cells of several lines are one', () => {
  const catalog =
    '+--+--+\n| Name | Endpoints |\n+--+--+\n| nova | RegionOne |\n|  |   public: u |\n+--+--+\n'
  assert.deepEqual(parseTable(catalog)?.rows, [['nova', 'RegionOne public: u']])
  const checks =
    '+--+\n| Results |\n+--+\n| Check: A |\n| Result: Success |\n+--+\n| Check: B |\n| Result: Failure |\n+--+\n'
  assert.deepEqual(parseTable(checks)?.rows, [['Check: A Result: Success'], ['Check: B Result: Failure']])
})

test('a star is anything, four of them are a password', () => {
  assert.ok(matches('*://nova:****@controller/nova', 'mysql+pymysql://nova:****@controller/nova'))
  assert.ok(!matches('nova.*', 'nova-a'))
  assert.ok(matches('ON nova.\\* TO *', 'ON nova.* TO nova'))
  assert.ok(!matches('ON nova.\\* TO *', 'ON nova.x TO nova'))
  assert.ok(matches('id {uuid}', 'id 5b5fa3a2-6d0f-4ab4-b0cc-000000000001'))
})
