/** The original services, as Debian packages them: the libraries are enough, which bring the programs along. */
import { existsSync } from 'node:fs'

const libraries = '/usr/lib/python3/dist-packages'

/** What must be there besides what a lab needs: a module, and the package that brings it. */
const needs: Readonly<Record<string, string>> = {
  'keystone/server/wsgi.py': 'python3-keystone',
  'glance/cmd/api.py': 'python3-glance',
  'placement/wsgi.py': 'python3-placement',
  'neutron/cmd/eventlet/server': 'python3-neutron',
  'nova/cmd/api.py': 'python3-nova',
  'pymysql/__init__.py': 'python3-pymysql',
}

/** Why there are no original services here; false when there are. For `test(title, { skip })`. */
export function whyNoOriginals(): string | false {
  const missing = Object.entries(needs)
    .filter(([file]) => !existsSync(`${libraries}/${file}`))
    .map(([, name]) => name)
  if (!existsSync('/usr/bin/sudo')) missing.push('sudo')
  if (missing.length === 0) return false
  return `needs the original services: apt-get install --no-install-recommends ${missing.join(' ')}`
}
