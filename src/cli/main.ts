/** The command `kilonova`, and OpenStack's programs by their names. Each is a file of its own, loaded when it is asked for. */
import { keepCompiled } from './compile-cache.ts'

keepCompiled()

// `kilonova up | head` reads a few lines and goes: what is left of the output is lost, the work is not.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

const { isDaemon } = await import('./daemons/table.ts')
const [, , name = '', ...args] = process.argv
if (isDaemon(name)) {
  const { runDaemon } = await import('./daemons/run-daemon.ts')
  process.exit(await runDaemon(name, args))
}
const { managePrograms } = await import('./manage/programs.ts')
const manage = Object.hasOwn(managePrograms, name) ? managePrograms[name] : undefined
if (manage !== undefined) process.exit(await manage(args))
const { program } = await import('./program.ts')
await program().parseAsync(process.argv)
