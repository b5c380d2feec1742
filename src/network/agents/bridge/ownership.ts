/** What tells this cloud's chains and hooks from others'. */
import type { Ownership } from '../../../linux/iptables.ts'
import type { CloudNames } from '../names.ts'

export function ownership(names: CloudNames): Ownership {
  const prefixes = [names.chains, names.macChains, names.arpChains]
  return {
    chain: (name) => prefixes.some((prefix) => name.startsWith(prefix)),
    hook: (rule) => rule.includes(`-j ${names.chains}`),
  }
}
