/** Writes docs/configuration.md from the tables of options: `npm run docs`. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { configurationPage } from '../src/cli/config/sample.ts'

export const configurationFile = join(import.meta.dirname, '../docs/configuration.md')

if (import.meta.main) writeFileSync(configurationFile, configurationPage())
