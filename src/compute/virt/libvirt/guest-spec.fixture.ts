/** A guest as tests of this folder want it. */
import type { GuestSpec } from '../driver.ts'

export const guestSpec = (changes: Partial<GuestSpec> = {}): GuestSpec => ({
  uuid: '5b5fa3a2-6d0f-4ab4-b0cc-3f4dbf5bdd0d',
  name: 'instance-0000000a',
  displayName: 'web <1> & "co"',
  projectId: 'd5b0e1f09d3a4a2f9f0d3c6a6c2e7b11',
  userId: '4b6f0c4f1a0e4a7c8c51c4d4f3b0a9aa',
  vcpus: 2,
  memoryMb: 256,
  rootGb: 1,
  ephemeralGb: 0,
  swapMb: 0,
  flavorName: 'm1.tiny',
  extraSpecs: {},
  image: { id: '0c9a3a3e-53f7-4f0e-9a3c-7d2b7f8b9c01', diskFormat: 'qcow2', properties: {} },
  vifs: [],
  configDrive: null,
  ...changes,
})
