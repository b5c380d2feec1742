/** The swap matrix: each service of ours alone among the original ones, and each original one alone among ours. */
import { type ServiceName, services } from '../../../src/cli/init/secrets.ts'

export const kinds = ['original', 'ours'] as const
export type Kind = (typeof kinds)[number]

export interface Cell {
  /** The service that is of the other kind than all others. */
  odd: ServiceName
  kind: Kind
  /** Of the network agents, where they are not neutron-server's own. */
  agents?: Kind
}

export const cells: readonly Cell[] = [
  ...kinds.flatMap((kind) => services.map((odd) => ({ odd, kind }))),
  { odd: 'neutron', kind: 'original', agents: 'ours' },
]

export const kindOf = ({ odd, kind }: Cell, service: ServiceName): Kind =>
  service === odd ? kind : kind === 'ours' ? 'original' : 'ours'

export const titleOf = ({ odd, kind, agents }: Cell): string =>
  agents !== undefined
    ? 'the original neutron-server alone, with our agents'
    : kind === 'ours'
      ? `our ${odd} among the original services`
      : `the original ${odd} among our services`
