/** A database server of a test run's own: in a directory beneath the temporary one, on a Unix socket, without fsync. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface ServerKind {
  /** What `TEST_DB` calls it. */
  name: 'mysql' | 'postgresql'
  /** Its programs, or why they are not there. */
  find(): { found: readonly string[] } | { missing: string }
  /** The system's user that it must run as when we are root. */
  account: string
  initialize(programs: readonly string[], directory: string): readonly string[]
  serve(programs: readonly string[], directory: string): readonly string[]
  /** Ends it at once, without leftovers in the kernel. */
  signal: 'KILL' | 'QUIT'
  url(directory: string, database: string): string
}

export interface Server {
  url(database: string): string
  /** Of the server, whose processor time may be of interest. */
  processId(): number | undefined
  /** Ends it, in order or not; what it holds is there again after `start`. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
  start(): void
  /** Ends the server and removes its directory, without waiting for the event loop: also when the process exits. */
  stop(): void
}

/** Starts a server; it ends with this process, however that ends. */
export function startServer(kind: ServerKind): Server {
  const programs = kind.find()
  if ('missing' in programs) throw new Error(programs.missing)
  const directory = mkdtempSync(join(tmpdir(), 'kilonova-db-'))
  const remove = () => rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
  try {
    const as = process.getuid?.() === 0 ? runAs(kind.account, directory) : []
    const [initialize, ...initializeArgs] = [...as, ...kind.initialize(programs.found, directory)]
    execFileSync(initialize!, initializeArgs, { stdio: ['ignore', 'ignore', 'pipe'], cwd: '/' })
    const log = openSync(join(directory, 'server.log'), 'a')
    const serve = () => {
      const command = [...as.slice(1), '--pdeathsig', kind.signal, ...kind.serve(programs.found, directory)]
      const started = spawn('setpriv', command, { stdio: ['ignore', log, log], cwd: '/' })
      started.unref()
      return started
    }
    let child = serve()
    const stop = () => {
      process.off('exit', stop)
      child.kill(`SIG${kind.signal}`)
      for (let tries = 0; tries < 300 && isRunning(child.pid!); tries++) pause(10)
      remove()
    }
    process.on('exit', stop)
    return {
      url: (database) => kind.url(directory, database),
      processId: () => child.pid,
      async end(signal) {
        const ended = once(child, 'exit')
        child.ref()
        child.kill(signal)
        await ended
      },
      start() {
        child = serve()
      },
      stop,
    }
  } catch (error) {
    remove()
    throw error
  }
}

/** The command that runs another as that user, who is given the directory. */
function runAs(account: string, directory: string): string[] {
  const id = (flag: string) => Number(execFileSync('id', [flag, account], { encoding: 'utf8' }))
  const [uid, gid] = [id('-u'), id('-g')]
  chownSync(directory, uid, gid)
  return ['setpriv', '--reuid', String(uid), '--regid', String(gid), '--clear-groups']
}

// A child that ended stays as a zombie until the event loop comes to it.
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}
