/** The options of `glance-api.conf`. */
import { keystoneAuthtoken } from '../base/config/common/auth.ts'
import { loggingOptions } from '../base/config/common/logging.ts'
import { policyOptions } from '../base/config/common/policy.ts'
import { type Config, choice, int, list, optional, port, text } from '../base/config/option.ts'
import { inSection, sectionOf } from '../base/config/section.ts'
import { type DatabaseSettings, databaseOptions } from '../base/db/options.ts'
import { defaultSettings, type ImageSettings } from './config.ts'

const most = <const N extends string>(name: N, standard: number, what: string) =>
  ({ name, type: int(), default: standard, help: `Most ${what} of an image; -1: any number.` }) as const

export const glanceOptions = {
  ...loggingOptions,
  ...policyOptions,
  ...keystoneAuthtoken,
  ...inSection('database', 'database', databaseOptions),
  bindHost: { name: 'bind_host', type: text, default: '0.0.0.0', help: 'Address that the API listens on.' },
  bindPort: { name: 'bind_port', type: port, default: 9292, help: 'Port of the API.' },
  workers: {
    name: 'workers',
    type: optional(int({ min: 0 })),
    default: null,
    help: 'Processes of the API. Default: as many as there are processors.',
  },
  flavor: {
    group: 'paste_deploy',
    name: 'flavor',
    type: optional(choice('keystone', 'keystone+caching', 'keystone+cachemanagement')),
    default: 'keystone',
    help: 'Who says who a caller is: keystone.',
  },
  filesystemStoreDatadir: {
    group: 'glance_store',
    name: 'filesystem_store_datadir',
    type: text,
    default: '/var/lib/glance/images',
    help: "Directory of the images' data.",
  },
  imageSizeCap: {
    name: 'image_size_cap',
    type: int({ min: 1 }),
    default: 1024 ** 4,
    help: 'Largest image in bytes.',
  },
  imageMemberQuota: most('image_member_quota', 128, 'members'),
  imageTagQuota: most('image_tag_quota', 128, 'tags'),
  imagePropertyQuota: most('image_property_quota', 128, 'properties'),
  limitParamDefault: {
    name: 'limit_param_default',
    type: int({ min: 1 }),
    default: 25,
    help: 'Images of an answer where the caller says no limit.',
  },
  apiLimitMax: {
    name: 'api_limit_max',
    type: int({ min: 1 }),
    default: 1000,
    help: 'Most images of an answer.',
  },
  diskFormats: {
    group: 'image_format',
    name: 'disk_formats',
    type: list(),
    default: defaultSettings.diskFormats,
    help: 'Disk formats that images may have.',
    deprecated: ['DEFAULT.disk_formats'],
  },
  containerFormats: {
    group: 'image_format',
    name: 'container_formats',
    type: list(),
    default: defaultSettings.containerFormats,
    help: 'Container formats that images may have.',
    deprecated: ['DEFAULT.container_formats'],
  },
  enabledImportMethods: {
    name: 'enabled_import_methods',
    type: list(),
    default: defaultSettings.enabledImportMethods,
    help: 'Ways of importing data.',
  },
} as const

/** What the Image service takes. */
export const imageSettingsOf = (config: Config<typeof glanceOptions>): ImageSettings => ({
  ...defaultSettings,
  imageSizeCap: config.imageSizeCap,
  imageMemberQuota: config.imageMemberQuota,
  imageTagQuota: config.imageTagQuota,
  imagePropertyQuota: config.imagePropertyQuota,
  limitParamDefault: config.limitParamDefault,
  apiLimitMax: config.apiLimitMax,
  diskFormats: config.diskFormats,
  containerFormats: config.containerFormats,
  // glance's own files write it in brackets: [glance-direct,web-download].
  enabledImportMethods: config.enabledImportMethods.map((method) => method.replace(/^\[|\]$/g, '')),
})

/** Pools and patience of the database; its URL is `databaseConnection`. */
export const databaseSettingsOf = (config: Config<typeof glanceOptions>): DatabaseSettings =>
  sectionOf(config, 'database', databaseOptions)
