import { readFileSync } from 'node:fs'

/** Of this program. */
export const version: string = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
).version

/** Sent with the version document of each service: `kilonova doctor` tells by it whose a service is, behind any proxy. */
export const versionHeader = 'x-kilonova-version'
