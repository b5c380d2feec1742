/** The attributes that every resource has. */
import type { Attributes } from './attributes.ts'
import * as check from './checks.ts'
import { nullToEmpty } from './converters.ts'

export const idAttribute: Attributes = { id: { filter: true, sort: true } }

export const ownerAttributes: Attributes = {
  project_id: { post: true, check: check.text(255), filter: true, sort: true },
  tenant_id: { post: true, check: check.text(255), filter: true, sort: true },
}

export const nameAttribute: Attributes = {
  name: { post: true, put: true, default: '', check: check.text(255), filter: true, sort: true },
}

/** Description, timestamps, revision. */
export const standardAttributes: Attributes = {
  description: {
    post: true,
    put: true,
    default: '',
    convert: nullToEmpty,
    check: check.text(255),
    filter: true,
    sort: true,
    extension: 'standard-attr-description',
  },
  created_at: { sort: true, extension: 'standard-attr-timestamp' },
  updated_at: { sort: true, extension: 'standard-attr-timestamp' },
  revision_number: { filter: true, sort: true, convert: Number, extension: 'standard-attr-revisions' },
}

export const tagsAttribute: Attributes = { tags: { extension: 'standard-attr-tag' } }
