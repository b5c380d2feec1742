/** What a lab's compute host has of guests, as its processes, devices, files and rules say. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isUuid } from '../../../src/base/ids.ts'
import type { Lab } from '../../../src/cli/lab/lab.ts'
import type { HostHoldings } from './holdings.ts'

export async function realHoldings(lab: Lab, host: string): Promise<HostHoldings> {
  const [guests, links, rules] = await Promise.all([
    listGuests(lab, host),
    lab.run(host, ['ip', '-brief', 'link', 'show']),
    lab.run(host, ['iptables-save']),
  ])
  return {
    guests: guests.map(({ id }) => id),
    taps: [...links.matchAll(/^(tap[^\s@]+)/gm)].map((match) => match[1]!),
    disks: filesIn(lab.path(host, '/var/lib/nova/instances')).filter(isUuid),
    domains: definedDomains(lab.path(host, '/etc/libvirt/qemu')),
    filtered: [...new Set([...rules.matchAll(/ (tap\S+)/g)].map((match) => match[1]!))],
  }
}

/** Process and its start, which tell a guest from one that was started anew; undefined when it does not run. */
export async function guestProcess(lab: Lab, host: string, id: string): Promise<string | undefined> {
  return (await listGuests(lab, host)).find((guest) => guest.id === id)?.process
}

async function listGuests(lab: Lab, host: string): Promise<{ id: string; process: string }[]> {
  const lines = (await lab.run(host, ['ps', '-e', '-ww', '-o', 'pid=,lstart=,args='])).split('\n')
  return lines.flatMap((line) => {
    const [, process, id] = /^\s*(\d+ .{24}) \S*qemu-system\S* .*-uuid (\S+)/.exec(line) ?? []
    return process === undefined || id === undefined ? [] : [{ id, process }]
  })
}

const filesIn = (path: string): string[] => (existsSync(path) ? readdirSync(path) : [])

function definedDomains(directory: string): string[] {
  const definitions = filesIn(directory).filter((name) => name.endsWith('.xml'))
  return definitions.flatMap((name) => {
    const text = readIfThere(join(directory, name))
    return /<uuid>(.+)<\/uuid>/.exec(text)?.[1] ?? []
  })
}

/** A domain may be undefined between the listing and the reading. */
function readIfThere(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}
