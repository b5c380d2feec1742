import { Fault } from '../../../base/errors.ts'
import type { ApiRequest, Route } from '../../../base/http/route.ts'
import { extensions } from './extension-list.ts'

const views = extensions.map(([alias, name, description]) => ({
  alias,
  name,
  description,
  links: [],
  namespace: 'http://docs.openstack.org/compute/ext/fake_xml',
  updated: '2014-12-03T00:00:00Z',
}))

export const extensionRoutes: readonly Route<object>[] = [
  { get: '/extensions', policy: 'os_compute_api:extensions', handler: () => ({ extensions: views }) },
  { get: '/extensions/:alias', policy: 'os_compute_api:extensions', handler: showExtension },
]

function showExtension(request: ApiRequest) {
  const extension = views.find((view) => view.alias === request.params['alias'])
  if (extension === undefined) {
    throw new Fault('not-found', `The extension ${request.params['alias']} could not be found.`)
  }
  return { extension }
}
