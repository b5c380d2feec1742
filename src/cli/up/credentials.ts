import { stringify } from 'yaml'
import { type CloudSecrets, type CloudSettings, layout, urlOf, writePrivateFile } from './settings.ts'

/** Writes `admin-openrc` and `clouds.yaml` (0600) for the administrator. */
export function writeCredentials(stateDir: string, settings: CloudSettings, secrets: CloudSecrets): void {
  const files = layout(stateDir)
  const authUrl = `${urlOf(settings, 'identity')}/v3`
  const openrc = {
    OS_USERNAME: 'admin',
    OS_PASSWORD: secrets.adminPassword,
    OS_PROJECT_NAME: 'admin',
    OS_USER_DOMAIN_NAME: 'Default',
    OS_PROJECT_DOMAIN_NAME: 'Default',
    OS_AUTH_URL: authUrl,
    OS_REGION_NAME: 'RegionOne',
    OS_IDENTITY_API_VERSION: '3',
    OS_IMAGE_API_VERSION: '2',
  }
  const lines = Object.entries(openrc).map(([name, value]) => `export ${name}=${value}`)
  writePrivateFile(files.openrc, `${lines.join('\n')}\n`)
  const auth = {
    auth_url: authUrl,
    username: 'admin',
    password: secrets.adminPassword,
    project_name: 'admin',
    user_domain_name: 'Default',
    project_domain_name: 'Default',
  }
  const cloud = { auth, region_name: 'RegionOne', identity_api_version: 3 }
  writePrivateFile(files.clouds, stringify({ clouds: { kilonova: cloud } }))
}
