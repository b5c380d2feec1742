/** Placement traits of a libvirt host. */

/** Processor features by libvirt's names, and the traits they are in os-traits. */
const cpuTraits: Readonly<Record<string, readonly string[]>> = {
  '3dnow': ['3DNOW'],
  abm: ['ABM'],
  aes: ['AESNI'],
  avx: ['AVX'],
  avx2: ['AVX2'],
  avx512bw: ['AVX512BW'],
  avx512cd: ['AVX512CD'],
  avx512dq: ['AVX512DQ'],
  avx512er: ['AVX512ER'],
  avx512f: ['AVX512F'],
  avx512pf: ['AVX512PF'],
  avx512vl: ['AVX512VL'],
  avx512vnni: ['AVX512VNNI'],
  avx512vbmi: ['AVX512VBMI'],
  avx512ifma: ['AVX512IFMA'],
  avx512vbmi2: ['AVX512VBMI2'],
  avx512bitalg: ['AVX512BITALG'],
  'avx512-vpopcntdq': ['AVX512VPOPCNTDQ'],
  vaes: ['AVX512VAES'],
  gfni: ['AVX512GFNI'],
  vpclmulqdq: ['AVX512VPCLMULQDQ'],
  bmi1: ['BMI'],
  bmi2: ['BMI2'],
  pclmuldq: ['CLMUL'],
  f16c: ['F16C'],
  fma: ['FMA3'],
  fma4: ['FMA4'],
  mmx: ['MMX'],
  mpx: ['MPX'],
  'sha-ni': ['SHA'],
  sse: ['SSE'],
  sse2: ['SSE2'],
  sse3: ['SSE3'],
  pni: ['SSE3'],
  'sse4.1': ['SSE41'],
  'sse4.2': ['SSE42'],
  sse4a: ['SSE4A'],
  ssse3: ['SSSE3'],
  svm: ['SVM', 'AMD_SVM'],
  tbm: ['TBM'],
  vmx: ['VMX', 'INTEL_VMX'],
  xop: ['XOP'],
}

/** What this driver can do, said as os-traits says it. */
const driverTraits = [
  'COMPUTE_IMAGE_TYPE_AMI',
  'COMPUTE_IMAGE_TYPE_ISO',
  'COMPUTE_IMAGE_TYPE_QCOW2',
  'COMPUTE_IMAGE_TYPE_RAW',
  'COMPUTE_NET_VIF_MODEL_E1000',
  'COMPUTE_NET_VIF_MODEL_E1000E',
  'COMPUTE_NET_VIF_MODEL_NE2K_PCI',
  'COMPUTE_NET_VIF_MODEL_PCNET',
  'COMPUTE_NET_VIF_MODEL_RTL8139',
  'COMPUTE_NET_VIF_MODEL_VIRTIO',
  'COMPUTE_NODE',
  'COMPUTE_STORAGE_BUS_IDE',
  'COMPUTE_STORAGE_BUS_SATA',
  'COMPUTE_STORAGE_BUS_SCSI',
  'COMPUTE_STORAGE_BUS_USB',
  'COMPUTE_STORAGE_BUS_VIRTIO',
]

/** The traits of a host whose processor has these features, sorted. */
export function hostTraits(cpuFeatures: readonly string[]): string[] {
  const ofCpu = cpuFeatures.flatMap((feature) => cpuTraits[feature] ?? []).map((name) => `HW_CPU_X86_${name}`)
  return [...new Set([...ofCpu, ...driverTraits])].sort()
}
