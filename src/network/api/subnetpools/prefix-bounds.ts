import { invalid } from '../../errors.ts'

export interface PrefixBounds {
  min: number
  max: number
  standard: number
}

const width = (version: number): number => (version === 4 ? 32 : 128)

/** The lengths that subnets of a pool may have, with what is not given filled in. */
export function prefixBounds(
  version: number,
  wanted: { min: number | undefined; max: number | undefined; standard: number | undefined },
): PrefixBounds {
  const min = wanted.min ?? (version === 4 ? 8 : 64)
  const max = wanted.max ?? width(version)
  const standard = wanted.standard ?? min
  const assert = (fine: boolean, type: string, length: number, base: string, limit: number) => {
    if (fine) return
    throw invalid(
      'IllegalSubnetPoolPrefixBounds',
      `Illegal prefix bounds: ${type}=${length}, ${base}=${limit}.`,
    )
  }
  assert(min <= max, 'min_prefixlen', min, 'max_prefixlen', max)
  assert(max <= width(version), 'max_prefixlen', max, 'ip_version_max', width(version))
  assert(standard >= min, 'default_prefixlen', standard, 'min_prefixlen', min)
  assert(standard <= max, 'default_prefixlen', standard, 'max_prefixlen', max)
  return { min, max, standard }
}
