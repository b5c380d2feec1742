import { randomUUID } from 'node:crypto'

/** A uuid with dashes, as nova, neutron, glance and placement write ids. */
export const newUuid = (): string => randomUUID()

/** 32 hex digits, as keystone writes ids. */
export const newHexId = (): string => randomUUID().replaceAll('-', '')

/** `req-<uuid>`, the form of every OpenStack request id. */
export const newRequestId = (): string => `req-${randomUUID()}`

const uuidForm = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i

/** True for a uuid with or without dashes. */
export const isUuid = (text: string): boolean => uuidForm.test(text)
