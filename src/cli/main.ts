/** The command `kilonova`. Each subcommand is a file of its own, loaded when it is asked for. */
import { enableCompileCache } from 'node:module'

enableCompileCache()

const { program } = await import('./program.ts')
await program().parseAsync(process.argv)
