/** For tests: whether the privileged helper would do what the agents ask of a host. */
import assert from 'node:assert/strict'
import { silentLogger } from '../../base/log.ts'
import type { Host } from '../host.ts'
import { realHost } from '../host.ts'
import type { Run } from '../run.ts'
import { decide } from './helper/decide.ts'
import type { Project } from './protocol.ts'

export const caller = { uid: 64061, gid: 64061 }

/** Runs nothing; fails for a command that the helper would deny, and tells of it, since who runs it may go on. */
export const judgingRun =
  (project: Project, onDenied: (what: string) => void = () => undefined): Run =>
  async (command, args, { input, netns } = {}) => {
    const decision = decide(project, caller, { command, args, input, netns })
    // What this machine has of the tools is not the question.
    if ('denied' in decision && !decision.denied.startsWith('there is no ')) {
      const what = `${command} ${args.join(' ')}: ${decision.denied}`
      onDenied(what)
      assert.fail(what)
    }
    return { code: 0, stdout: '', stderr: '' }
  }

/** A simulated host that also has judged what a real one would run for the same. */
export function judged(host: Host, onDenied: (what: string) => void): Host {
  const real = realHost(judgingRun('neutron', onDenied), silentLogger)
  return {
    filterBridgedFrames: () => host.filterBridgedFrames(),
    setSysctl: (name, value) => host.setSysctl(name, value),
    portDevices: (names) => host.portDevices(names),
    watchLinks: (onChange) => host.watchLinks(onChange),
    protocolNames: () => host.protocolNames(),
    links: (netns) => real.links(netns).then(() => host.links(netns)),
    changeLinks: (changes, netns) =>
      real.changeLinks(changes, netns).then(() => host.changeLinks(changes, netns)),
    routes: (netns) => real.routes(netns).then(() => host.routes(netns)),
    namespaces: () => real.namespaces().then(() => host.namespaces()),
    addNamespace: (name) => real.addNamespace(name).then(() => host.addNamespace(name)),
    removeNamespace: (name) => real.removeNamespace(name).then(() => host.removeNamespace(name)),
    forwarding: (device) => real.forwarding(device).then(() => host.forwarding(device)),
    changeForwarding: (device, changes) =>
      real.changeForwarding(device, changes).then(() => host.changeForwarding(device, changes)),
    rules: (family) => real.rules(family).then(() => host.rules(family)),
    changeRules: (family, changes) =>
      real.changeRules(family, changes).then(() => host.changeRules(family, changes)),
    sets: () => real.sets().then(() => host.sets()),
    changeSets: (changes) => real.changeSets(changes).then(() => host.changeSets(changes)),
    forgetConnections: (addresses) =>
      real.forgetConnections(addresses).then(() => host.forgetConnections(addresses)),
  }
}
