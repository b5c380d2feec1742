/** A guest for tests: a namespace whose eth0 is the other end of the port's tap device. */
import { execFile, execFileSync, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { bridgeName, tapName } from '../../src/network/agents/names.ts'
import type { WantedPort } from '../../src/network/rpc/agents.ts'

const ip = (...args: string[]) => execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'pipe'] })

export class VethGuest {
  readonly name: string
  readonly port: WantedPort

  /** Plugs the guest into its network's bridge as a hypervisor does. */
  constructor(port: WantedPort) {
    this.port = port
    this.name = `guest-${port.id.slice(0, 8)}`
    const tap = tapName(port.id)
    ip('netns', 'add', this.name)
    ip('link', 'add', tap, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', this.name)
    ip('-n', this.name, 'link', 'set', 'eth0', 'address', port.macAddress)
    ip('-n', this.name, 'link', 'set', 'lo', 'up')
    ip('-n', this.name, 'link', 'set', 'eth0', 'up')
    ip('link', 'set', tap, 'master', bridgeName(port.networkId))
    ip('link', 'set', tap, 'up')
  }

  /** Runs `ip` on the guest. */
  ip(...args: string[]): void {
    ip('-n', this.name, ...args)
  }

  useAddresses(): this {
    for (const fixed of this.port.fixedIps)
      this.ip('address', 'add', `${fixed.ipAddress}/${fixed.prefixLength}`, 'dev', 'eth0')
    return this
  }

  run(command: string, ...args: string[]): Promise<{ code: number; output: string }> {
    return new Promise((resolve) => {
      execFile('ip', ['netns', 'exec', this.name, command, ...args], (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), output: stdout + stderr })
      })
    })
  }

  /** Starts a program that ends with its scope. */
  start(command: string, ...args: string[]) {
    const child = spawn('ip', ['netns', 'exec', this.name, command, ...args], {
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    const ended = new Promise((resolve) => child.once('close', resolve))
    const stop = async () => {
      child.kill('SIGKILL')
      await ended
    }
    return { stdin: child.stdin, [Symbol.asyncDispose]: stop }
  }

  /** True when one of a few pings is answered. */
  async reaches(address: string, ...options: string[]): Promise<boolean> {
    return (await this.run('ping', '-c', '3', '-i', '0.2', '-W', '1', ...options, address)).code === 0
  }

  /** Lines of tcpdump on eth0, from when it listens. */
  async listen(filter: string): Promise<{ lines: string[] } & AsyncDisposable> {
    const args = ['netns', 'exec', this.name, 'tcpdump', '-n', '-e', '-l', '-i', 'eth0', filter]
    const child = spawn('ip', args, { stdio: ['ignore', 'pipe', 'pipe'] })
    const lines: string[] = []
    createInterface({ input: child.stdout }).on('line', (line) => lines.push(line))
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject)
      child.stderr.on('data', (chunk: Buffer) => chunk.includes('listening') && resolve())
    })
    const stop = async () => {
      const ended = new Promise((resolve) => child.once('close', resolve))
      child.kill()
      await ended
    }
    return { lines, [Symbol.asyncDispose]: stop }
  }

  remove(): void {
    ip('link', 'delete', tapName(this.port.id))
    ip('netns', 'delete', this.name)
  }
}
