/** Whether guests can run on the processor itself (KVM) or must be emulated. */
import { access, constants, readFile } from 'node:fs/promises'

/** True when the processor has VT-x or AMD-V and the kernel offers it. A /dev/kvm alone proves nothing. */
export async function hasHardwareVirtualization(): Promise<boolean> {
  const flags = /^flags\s*:(.*)$/m.exec(await readFile('/proc/cpuinfo', 'utf8'))?.[1] ?? ''
  if (!/\b(vmx|svm)\b/.test(flags)) return false
  try {
    await access('/dev/kvm', constants.R_OK | constants.W_OK)
    return true
  } catch {
    // No device, or not for us: emulation works without it.
    return false
  }
}
