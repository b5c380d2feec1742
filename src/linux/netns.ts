/** Named network namespaces. */
import type { Run } from './run.ts'

export async function listNamespaces(run: Run): Promise<string[]> {
  const { stdout } = await run('ip', ['-json', 'netns', 'list'])
  return (JSON.parse(stdout || '[]') as { name: string }[]).map((row) => row.name)
}

/** Makes a namespace with its loopback up. One that is there already is no error. */
export async function addNamespace(run: Run, name: string): Promise<void> {
  const added = await run('ip', ['netns', 'add', name], { okCodes: [1] })
  if (added.code !== 0 && !added.stderr.includes('File exists')) {
    await run('ip', ['netns', 'add', name])
  }
  await run('ip', ['-netns', name, 'link', 'set', 'lo', 'up'])
}

/** Removes a namespace with every device born in it. One that is not there is no error. */
export async function removeNamespace(run: Run, name: string): Promise<void> {
  const names = await listNamespaces(run)
  if (names.includes(name)) await run('ip', ['netns', 'delete', name])
}
