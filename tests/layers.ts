/** Who may import whom, by path under `src/`. */

/** What one service may know of another. */
const clients = ['identity/client.ts', 'image/client.ts', 'network/client.ts', 'placement/client.ts']

/**
 * The first entry whose path a file's begins with counts. A file may import its own entry's path, what is listed, and
 * `base/`. Tests, and the worlds and stubs that only tests use, may import anything.
 */
export const layers: readonly (readonly [path: string, may: readonly string[]])[] = [
  ['base', []],
  ['linux', []],
  ['cli', ['']],
  ['testing', ['']],

  ['identity/client.ts', ['identity/client']],
  ['identity/client', []],
  ['identity/service.ts', ['identity']],
  ['identity/manage', ['identity']],
  [
    'identity/api',
    ['identity/store', 'identity/tokens', 'identity/passwords.ts', 'identity/credential-cipher.ts'],
  ],
  ['identity/tokens', ['identity/store', 'identity/passwords.ts', 'identity/credential-cipher.ts']],
  ['identity/store', []],
  ['identity', ['identity']],

  ['image/client.ts', []],
  ['image/service.ts', ['image']],
  ['image/manage', ['image/store']],
  ['image/api', ['image/store', 'image/backends', 'image/config.ts']],
  ['image/backends', []],
  ['image/store', []],
  ['image', ['image/store', 'image/backends']],

  ['placement/client.ts', ['placement/client']],
  ['placement/client', []],
  ['placement/service.ts', ['placement']],
  ['placement/manage', ['placement/store']],
  ['placement/api', ['placement/store', 'placement/candidates', 'placement/error-codes.ts']],
  ['placement/candidates', ['placement/store']],
  ['placement/store', ['placement/standard', 'placement/error-codes.ts']],
  ['placement', []],

  // Agents and drivers run on hosts: no database, only messages, which are data.
  [
    'compute/agent',
    ['compute/rpc/agent.ts', 'compute/rpc/conductor.ts', 'compute/virt/driver.ts', 'linux', ...clients],
  ],
  ['compute/virt', ['linux']],
  ['compute/rpc/request-work.ts', ['compute/rpc', 'compute/store']],
  ['compute/rpc', []],
  ['compute/store', []],
  ['compute/cells', ['compute/store']],
  ['compute/metadata', ['compute/store', ...clients]],
  ['compute/scheduler', ['compute/store', 'compute/rpc', ...clients]],
  [
    'compute/conductor',
    [
      'compute/store',
      'compute/rpc',
      'compute/cells',
      'compute/scheduler',
      'compute/metadata',
      'compute/virt/driver.ts',
      ...clients,
    ],
  ],
  ['compute/api', ['compute/store', 'compute/rpc', 'compute/cells', 'compute/config.ts', ...clients]],
  ['compute/manage', ['compute/store', 'compute/cells', 'compute/scheduler', ...clients]],
  ['compute/service.ts', ['compute', ...clients]],
  ['compute', []],

  [
    'network/agents',
    ['network/rpc/agents.ts', 'network/rpc/rules.ts', 'network/rpc/dhcp-device-id.ts', 'linux'],
  ],
  ['network/rpc/agents.ts', ['network/rpc/rules.ts']],
  ['network/rpc/dhcp-device-id.ts', []],
  ['network/rpc/rules.ts', []],
  ['network/client', []],
  ['network/service.ts', ['network']],
  ['network/manage', ['network/store']],
  [
    'network',
    [
      'network/api',
      'network/config.ts',
      'network/dhcp',
      'network/errors.ts',
      'network/events',
      'network/ipam',
      'network/ml2',
      'network/rpc',
      'network/store',
      'network/work.ts',
    ],
  ],
]

/** From here nothing of the second kind is reached through any number of imports that run: types are gone by then. */
export const outOfReach: readonly (readonly [path: string, never: readonly string[]])[] = [
  ['compute/agent', ['compute/store', 'base/db']],
  ['compute/virt', ['compute/store', 'base/db']],
  ['network/agents', ['network/store', 'base/db']],
  ['linux', ['base/db', 'base/http']],
  // What runs as root is small enough to be read.
  ['linux/rootwrap/helper', ['base', 'linux/run.ts', 'linux/host.ts', ...['compute', 'network', 'cli']]],
]
