/** The command `kilonova`. Each subcommand is a file of its own, loaded when it is asked for. */
import { enableCompileCache } from 'node:module'

enableCompileCache()

// `kilonova up | head` reads a few lines and goes: what is left of the output is lost, the work is not.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

const { program } = await import('./program.ts')
await program().parseAsync(process.argv)
