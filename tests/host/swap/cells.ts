/** The swap matrix: each service of ours alone among the original ones, and each original one alone among ours. */
import { type ServiceName, services } from '../../../src/cli/lab/cloud/secrets.ts'

export type Kind = 'ours' | 'original'

export interface Cell {
  /** The service that is of the other kind than all others. */
  odd: ServiceName
  kind: Kind
}

export const cells: readonly Cell[] = (['original', 'ours'] as const).flatMap((kind) =>
  services.map((odd) => ({ odd, kind })),
)

export const kindOf = ({ odd, kind }: Cell, service: ServiceName): Kind =>
  service === odd ? kind : kind === 'ours' ? 'original' : 'ours'

export const titleOf = ({ odd, kind }: Cell): string =>
  kind === 'ours' ? `our ${odd} among the original services` : `the original ${odd} among our services`
