/** What the Image service can be told; the names are glance's options. */
export interface ImageSettings {
  /** Largest image in bytes. */
  imageSizeCap: number
  /** Most members, tags and custom properties of one image. */
  imageMemberQuota: number
  imageTagQuota: number
  imagePropertyQuota: number
  /** Images in one answer when `limit` is not given, and at most. */
  limitParamDefault: number
  apiLimitMax: number
  diskFormats: readonly string[]
  containerFormats: readonly string[]
  enabledImportMethods: readonly string[]
  /** Refuse data that is seen to be of another format than the image says. */
  requireImageFormatMatch: boolean
  /** The id of the one store, the directory of files. */
  storeId: string
}

export const defaultSettings: ImageSettings = {
  imageSizeCap: 1024 ** 4,
  imageMemberQuota: 128,
  imageTagQuota: 128,
  imagePropertyQuota: 128,
  limitParamDefault: 25,
  apiLimitMax: 1000,
  diskFormats: ['ami', 'ari', 'aki', 'vhd', 'vhdx', 'vmdk', 'raw', 'qcow2', 'vdi', 'iso', 'ploop'],
  containerFormats: ['ami', 'ari', 'aki', 'bare', 'ovf', 'ova', 'docker', 'compressed'],
  enabledImportMethods: ['glance-direct'],
  requireImageFormatMatch: true,
  storeId: 'file',
}
