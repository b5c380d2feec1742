import { ec2Tree, ec2Versions, type Tree } from './ec2-tree.ts'
import type { InstanceFacts } from './facts.ts'
import { documentAt, documentNames, isOnConfigDrive, openstackVersions, versionOf } from './openstack-tree.ts'

/**
 * The files of a config drive by path, their bytes in base64. All OpenStack versions are there; of EC2's only the newest, as nova's default
 * `config_drive_skip_versions` leaves it.
 */
export function configDriveFiles(facts: InstanceFacts): Record<string, string> {
  const files: Record<string, string> = {}
  for (const version of [ec2Versions.at(-1)!, 'latest']) {
    const { 'user-data': userData, 'meta-data': metaData } = ec2Tree(facts, version) ?? {}
    if (typeof userData === 'string')
      files[`ec2/${version}/user-data`] = base64(Buffer.from(userData, 'latin1'))
    files[`ec2/${version}/meta-data.json`] = base64(JSON.stringify(withPlainKeys(metaData as Tree)))
  }
  for (const asked of [...openstackVersions, 'latest']) {
    const version = versionOf(asked)
    if (version === undefined) continue
    for (const name of documentNames(facts, version).filter(isOnConfigDrive)) {
      const content = documentAt(facts, version, name)?.content
      if (content !== undefined) files[`openstack/${asked}/${name}`] = base64(content)
    }
  }
  return files
}

// The service lists a key as `0=name`; the file has `0` with the key below.
function withPlainKeys(metaData: Tree): Tree {
  const keys = metaData['public-keys']
  if (keys === undefined) return metaData
  return { ...metaData, 'public-keys': { '0': Object.values(keys as Tree)[0] ?? '' } }
}

const base64 = (content: string | Buffer): string => Buffer.from(content as string).toString('base64')
