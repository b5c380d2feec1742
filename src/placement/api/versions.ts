import type { VersionRange } from '../../base/http/microversion.ts'

export const versions: VersionRange = { service: 'placement', min: '1.0', max: '1.39' }
