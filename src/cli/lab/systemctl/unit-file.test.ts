import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCommand, parseSeconds, parseUnitFile, splitWords } from './unit-file.ts'

test('options repeat, an empty one takes back those before it, and a line goes on after a backslash', () => {
  const unit = parseUnitFile(
    [
      '# comment',
      '[Service]',
      'Environment=A=1',
      'Environment=B=2',
      'ExecStartPre=/bin/old',
      'ExecStartPre=',
      'ExecStartPre=/bin/new',
      'ExecStart=/bin/run \\',
      '  --much',
      '[Install]',
      'WantedBy=multi-user.target',
    ].join('\n'),
  )
  assert.deepEqual(unit.all('Service', 'Environment'), ['A=1', 'B=2'])
  assert.deepEqual(unit.all('Service', 'ExecStartPre'), ['/bin/new'])
  assert.equal(unit.last('Service', 'ExecStart'), '/bin/run    --much')
  assert.equal(unit.last('Install', 'WantedBy'), 'multi-user.target')
  assert.equal(unit.last('Unit', 'Description'), undefined)
})

test('words are kept together by quotes', () => {
  assert.deepEqual(splitWords(`/bin/sh -c 'a "b"  c' "d \\" e" f\\ g ''`), [
    '/bin/sh',
    '-c',
    'a "b"  c',
    'd " e',
    'f g',
    '',
  ])
  assert.throws(() => splitWords("'open"), /quote is not closed/)
})

test('a command has prefixes, specifiers and variables', () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: systemd's variables look like those of a template.
  const command = parseCommand('-+/bin/x %n %N 100%% $OPTIONS ${ONE}/y', 'nova-api.service', {
    OPTIONS: '--a --b',
    ONE: '1 2',
  })
  assert.deepEqual(command, {
    argv: ['/bin/x', 'nova-api.service', 'nova-api', '100%', '--a', '--b', '1 2/y'],
    mayFail: true,
    asRoot: true,
  })
})

test('time spans', () => {
  assert.equal(parseSeconds('5'), 5)
  assert.equal(parseSeconds('1min 30s'), 90)
  assert.equal(parseSeconds('500ms'), 0.5)
  assert.equal(parseSeconds('infinity'), Number.POSITIVE_INFINITY)
})
