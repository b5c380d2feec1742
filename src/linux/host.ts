/**
 * The network of one host, as the agents see and change it. `realHost` does it with the host's tools, `linux/fake`
 * to data in memory, so that a simulated cloud runs the same agents without root.
 */
import type { Logger } from '../base/log.ts'
import { forgetConnections, type TrackedAddress } from './conntrack.ts'
import { changeForwarding, type ForwardingEntry, readForwarding } from './fdb.ts'
import { changeSets, type MutableSets, readSets, type SetChange } from './ipset.ts'
import { changeRules, type MutableTables, type RuleFamily, readRules, type TableChange } from './iptables.ts'
import { watchLinks } from './link-monitor.ts'
import {
  changeLinks,
  type Link,
  type LinkChange,
  type PortDevice,
  type Route,
  readLinks,
  readPortDevices,
  readRoutes,
} from './links.ts'
import { addNamespace, listNamespaces, removeNamespace } from './netns.ts'
import { readProtocolNames } from './protocols.ts'
import type { Run } from './run.ts'
import { filterBridgedFrames, setSysctl } from './sysctl.ts'

export interface Host {
  /** Makes bridged frames pass the packet filter. */
  filterBridgedFrames(): Promise<void>
  setSysctl(name: string, value: string): Promise<void>

  /** Devices by name, of the host itself or of a namespace. */
  links(netns?: string): Promise<ReadonlyMap<string, Link>>
  /** Those of these devices of the host itself that are there, quickly. */
  portDevices(names: readonly string[]): Promise<ReadonlyMap<string, PortDevice>>
  changeLinks(changes: readonly LinkChange[], netns?: string): Promise<void>
  routes(netns?: string): Promise<Route[]>
  /** Calls with a device's name whenever it came, went or changed. */
  watchLinks(onChange: (name: string) => void): AsyncDisposable

  namespaces(): Promise<string[]>
  addNamespace(name: string): Promise<void>
  removeNamespace(name: string): Promise<void>

  forwarding(device: string): Promise<ForwardingEntry[]>
  changeForwarding(
    device: string,
    changes: { add: readonly ForwardingEntry[]; remove: readonly ForwardingEntry[] },
  ): Promise<void>

  /** A copy that the caller may keep and change. */
  rules(family: RuleFamily): Promise<MutableTables>
  changeRules(family: RuleFamily, changes: readonly TableChange[]): Promise<void>
  /** A copy that the caller may keep and change. */
  sets(): Promise<MutableSets>
  changeSets(changes: readonly SetChange[]): Promise<void>
  /** Ends what earlier rules allowed. */
  forgetConnections(addresses: readonly TrackedAddress[]): Promise<void>
  /** Protocol numbers by the name this host prints them with, from /etc/protocols. */
  protocolNames(): Promise<ReadonlyMap<number, string>>
}

/** This machine. */
export function realHost(run: Run, log: Logger): Host {
  return {
    filterBridgedFrames: () => filterBridgedFrames(run),
    setSysctl: (name, value) => setSysctl(run, name, value),
    links: (netns) => readLinks(run, netns),
    portDevices: readPortDevices,
    changeLinks: (changes, netns) => changeLinks(run, changes, netns),
    routes: (netns) => readRoutes(run, netns),
    watchLinks: (onChange) => watchLinks(log, onChange),
    namespaces: () => listNamespaces(run),
    addNamespace: (name) => addNamespace(run, name),
    removeNamespace: (name) => removeNamespace(run, name),
    forwarding: (device) => readForwarding(run, device),
    changeForwarding: (device, changes) => changeForwarding(run, device, changes),
    rules: (family) => readRules(run, family),
    changeRules: (family, changes) => changeRules(run, family, changes),
    sets: () => readSets(run),
    changeSets: (changes) => changeSets(run, changes),
    forgetConnections: (addresses) => forgetConnections(run, addresses),
    protocolNames: readProtocolNames,
  }
}
