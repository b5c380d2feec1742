/** Commands that were copied from a web page: what its typesetting and lost spaces made of them is put right. */

export interface Slip {
  was: string
  now: string
  what: string
}

export interface Understood {
  command: string
  slips: readonly Slip[]
}

/** Options of the commands that guides give, the longest first: one may be the beginning of another. */
const options = [
  'availability-zone',
  'bootstrap-admin-url',
  'bootstrap-internal-url',
  'bootstrap-password',
  'bootstrap-public-url',
  'bootstrap-region-id',
  'by-service',
  'config-file',
  'container-format',
  'description',
  'disk-format',
  'domain',
  'external',
  'file',
  'flavor',
  'gateway',
  'image',
  'key-name',
  'name',
  'network',
  'nic',
  'password',
  'password-prompt',
  'project',
  'provider-network-type',
  'provider-physical-network',
  'public',
  'region',
  'security-group',
  'service',
  'share',
  'strict',
  'subnet-range',
  'user',
  'verbose',
].sort((a, b) => b.length - a.length)

const managers = [
  'nova-manage',
  'neutron-db-manage',
  'keystone-manage',
  'glance-manage',
  'placement-manage',
  'nova-status',
]
const subjects = [
  'api_db',
  'cell_v2',
  'db',
  'db_sync',
  'placement',
  'upgrade',
  'bootstrap',
  'fernet_setup',
  'credential_setup',
]

interface Repair {
  pattern: RegExp
  now: string | ((...found: string[]) => string)
  what: string
}

const repairs: readonly Repair[] = [
  { pattern: /^\s*\[[^\]]*@[^\]]*\]\s*[#$]\s*/, now: '', what: 'the prompt of the shell' },
  { pattern: /^\s*(MariaDB|mysql)(\s*\[[^\]]*\])?>\s*/, now: '', what: 'the prompt of the database' },
  { pattern: /[“”„]/g, now: '"', what: 'typographic quotes' },
  { pattern: /[‘’‚]/g, now: "'", what: 'typographic quotes' },
  { pattern: /[\u00a0\u3000]/g, now: ' ', what: 'a space that is none to a shell' },
  { pattern: /(?<=\s|^)[–—](?=[a-z])/g, now: '--', what: 'a long dash for --' },
  { pattern: /(?<=[a-z])[–—](?=[a-z])/g, now: ' --', what: 'a long dash for --, and a lost space' },
  { pattern: /\s+\/\/.*$/, now: '', what: 'a remark behind the command' },
  {
    pattern: /(?<=\s)--([a-z][\w./-]+)/gi,
    now: (whole, word) => {
      if (options.includes(word!)) return whole!
      const option = options.find((name) => word!.startsWith(name))
      return option === undefined ? whole! : `--${option} ${word!.slice(option.length)}`
    },
    what: 'a lost space behind an option',
  },
  {
    pattern: new RegExp(`(${managers.join('|')})(${subjects.join('|')})(?=\\s)`, 'g'),
    now: '$1 $2',
    what: 'a lost space behind the program',
  },
  {
    pattern: /(?<=[a-z\d])(openstack-(?:nova|neutron|keystone|glance|placement)\b)/g,
    now: ' $1',
    what: 'a lost space',
  },
  { pattern: /(?<=\.service)(?=[a-z])/g, now: ' ', what: 'a lost space' },
  { pattern: /(?<=\.(?:ini|conf))(?=\/)/g, now: ' ', what: 'a lost space' },
  { pattern: /(?<=\s-[a-z]+)(?=https?:\/\/)/g, now: ' ', what: 'a lost space' },
  { pattern: /(?<=\.\*)(?=TO\b)/g, now: ' ', what: 'a lost space' },
  { pattern: /(?<=\bTO)(?=')/g, now: ' ', what: 'a lost space' },
  { pattern: /(?<=\bON)(?=[a-z_]+\.\*)/g, now: ' ', what: 'a lost space' },
  {
    pattern: /^((?:GRANT|CREATE|USE|DROP)\b.*[^;\s])\s*$/i,
    now: '$1;',
    what: 'the semicolon that ends a statement',
  },
]

/** The command as it was meant, with each slip in the order it was found. */
export function understand(text: string): Understood {
  const slips: Slip[] = []
  let command = text.trim()
  for (const { pattern, now, what } of repairs) {
    const before = command
    command = typeof now === 'string' ? command.replace(pattern, now) : command.replace(pattern, now)
    if (command === before) continue
    const { was, became } = difference(before, command)
    slips.push({ was, now: became, what })
  }
  return { command, slips }
}

/** The words that changed, from the first to the last of them. */
function difference(before: string, after: string): { was: string; became: string } {
  const [old, young] = [before.split(' '), after.split(' ')]
  let first = 0
  while (first < old.length && old[first] === young[first]) first++
  let last = 0
  while (
    last < old.length - first &&
    last < young.length - first &&
    old.at(-1 - last) === young.at(-1 - last)
  )
    last++
  return {
    was: old.slice(first, old.length - last).join(' '),
    became: young.slice(first, young.length - last).join(' '),
  }
}
