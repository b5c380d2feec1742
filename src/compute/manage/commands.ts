/** `nova-manage` and `nova-status`, as data. */
import type { ManageCommand } from '../../base/manage/program.ts'
import { runUpgradeChecks } from '../../base/manage/upgrade-check.ts'
import { archiveCommands } from './archive.ts'
import { auditCommands } from './audit.ts'
import { cellCommands } from './cells.ts'
import type { NovaManage } from './deps.ts'
import { healCommand } from './heal-allocations.ts'
import { hostCommands } from './hosts.ts'
import { imagePropertyCommands } from './image-properties.ts'
import { instanceCommands } from './instances.ts'
import { machineTypeCommands } from './machine-types.ts'
import { schemaCommands } from './schemas.ts'
import { simpleSetupCommands } from './simple-setup.ts'
import { unifiedLimitsCommands } from './unified-limits.ts'
import { upgradeChecks } from './upgrade-checks.ts'
import { volumeAttachmentCommands } from './volume-attachments.ts'

export const novaManageCommands: readonly ManageCommand<NovaManage>[] = [
  ...schemaCommands,
  ...archiveCommands,
  ...cellCommands,
  ...hostCommands,
  ...instanceCommands,
  ...simpleSetupCommands,
  healCommand,
  ...auditCommands,
  ...machineTypeCommands,
  ...volumeAttachmentCommands,
  ...imagePropertyCommands,
  ...unifiedLimitsCommands,
]

export const novaStatusCommands: readonly ManageCommand<NovaManage>[] = [
  {
    name: 'upgrade check',
    help: 'tell whether this deployment can run the version that is installed',
    options: [{ flags: '--json', help: 'as JSON instead of a table' }],
    async run(given, deps) {
      const { code, text } = await runUpgradeChecks(upgradeChecks, deps, { json: given['json'] === true })
      deps.print(text)
      return code
    },
  },
]
