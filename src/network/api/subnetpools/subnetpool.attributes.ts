import type { Attributes } from '../attributes.ts'
import * as check from '../checks.ts'
import { toBoolean, toInteger } from '../converters.ts'
import { idAttribute, ownerAttributes, standardAttributes, tagsAttribute } from '../standard-attributes.ts'

const length = {
  post: true,
  put: true,
  convert: toInteger,
  check: check.nonNegative,
  filter: true,
  sort: true,
} as const

export const subnetpoolAttributes: Attributes = {
  ...idAttribute,
  name: { post: true, put: true, required: true, check: check.filledText(255), filter: true, sort: true },
  ...ownerAttributes,
  prefixes: { post: true, put: true, required: true, check: check.listOf(check.subnet) },
  default_quota: {
    post: true,
    put: true,
    convert: (value) => (value === null ? null : toInteger(value)),
    check: check.orNull(check.nonNegative),
    filter: true,
    sort: true,
  },
  ip_version: { convert: toInteger, filter: true, sort: true },
  default_prefixlen: length,
  min_prefixlen: length,
  max_prefixlen: length,
  is_default: {
    post: true,
    put: true,
    default: false,
    convert: toBoolean,
    filter: true,
    sort: true,
    policy: true,
  },
  shared: { post: true, default: false, convert: toBoolean, filter: true, policy: true },
  address_scope_id: {
    post: true,
    put: true,
    check: check.orNull(check.uuid),
    filter: true,
    sort: true,
    extension: 'address-scope',
  },
  ...standardAttributes,
  ...tagsAttribute,
}
