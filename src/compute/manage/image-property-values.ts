/** The image properties that nova knows (its ImageMetaProps, version 1.34), and which values each takes. */

/** Why the value is refused; undefined when it is taken. */
type Check = (value: string) => string | undefined

const any: Check = () => undefined

const integer: Check = (value) =>
  /^\s*[+-]?\d+\s*$/.test(value) ? undefined : `${value} is no whole number.`

const oneOf =
  (words: string, { anyCase = false } = {}): Check =>
  (value) => {
    const possible = words.split(' ')
    if (possible.includes(anyCase ? value.toLowerCase() : value)) return undefined
    return `${value} is none of ${possible.join(', ')}.`
  }

/** Lists that nova keeps as objects: a text is no such list. */
const list: Check = () => 'it is a list, which cannot be given as a text.'

const versions: Check = (value) =>
  /^\s*(<|>|<=|>=|==|!=)\s*\d[\w.]*(\s*,\s*(<|>|<=|>=|==|!=)\s*\d[\w.]*)*\s*$/.test(value)
    ? undefined
    : `${value} is no comparison of versions, such as >=7.2.`

// Whatever is not one of the words for true is false to nova.
const flag = any

const architecture = oneOf(
  'alpha armv6 armv7l armv7b aarch64 cris i686 ia64 lm32 m68k microblaze microblazeel mips mipsel mips64 mips64el openrisc parisc parisc64 ppc ppcle ppc64 ppc64le ppcemb s390 s390x sh4 sh4eb sparc sparc64 unicore32 x86_64 xtensa xtensaeb i386 i486 i586 x86_32 x86_32p amd64',
  { anyCase: true },
)
const bus = oneOf('fdc ide sata scsi usb virtio xen lxc uml')

export const imagePropertyValues: Readonly<Record<string, Check>> = {
  hw_architecture: architecture,
  hw_emulation_architecture: architecture,
  hw_auto_disk_config: any,
  hw_boot_menu: flag,
  hw_cdrom_bus: bus,
  hw_cpu_cores: integer,
  hw_cpu_sockets: integer,
  hw_cpu_max_cores: integer,
  hw_cpu_max_sockets: integer,
  hw_cpu_max_threads: integer,
  hw_cpu_policy: oneOf('dedicated shared mixed'),
  hw_cpu_thread_policy: oneOf('prefer isolate require'),
  hw_cpu_realtime_mask: any,
  hw_cpu_threads: integer,
  hw_device_id: integer,
  hw_disk_bus: bus,
  hw_disk_type: any,
  hw_floppy_bus: bus,
  hw_firmware_type: oneOf('uefi bios'),
  hw_input_bus: oneOf('usb virtio'),
  hw_ipxe_boot: flag,
  hw_locked_memory: flag,
  hw_machine_type: any,
  hw_mem_encryption: flag,
  hw_mem_page_size: any,
  hw_numa_nodes: integer,
  // One for each node, hw_numa_cpus.0 and so on, which the command does not know: these are passed over.
  hw_numa_cpus: any,
  hw_numa_mem: any,
  hw_pci_numa_affinity_policy: oneOf('required legacy preferred socket'),
  hw_pointer_model: oneOf('usbtablet'),
  hw_pmu: flag,
  hw_qemu_guest_agent: flag,
  hw_rescue_bus: bus,
  hw_rescue_device: oneOf('cdrom disk floppy fs lun'),
  hw_rng_model: oneOf('virtio'),
  hw_time_hpet: flag,
  hw_serial_port_count: integer,
  hw_scsi_model: oneOf('buslogic ibmvscsi lsilogic lsisas1068 lsisas1078 virtio-scsi vmpvscsi', {
    anyCase: true,
  }),
  hw_video_model: oneOf('cirrus qxl vga vmvga xen virtio gop none bochs'),
  hw_video_ram: integer,
  hw_vif_model: oneOf(
    'virtio ne2k_pci pcnet rtl8139 e1000 e1000e netfront spapr-vlan lan9118 sriov vmxnet vmxnet3 virtuale1000 virtuale1000e virtualpcnet32 virtualsriovethernetcard virtualvmxnet virtualvmxnet3',
    { anyCase: true },
  ),
  hw_viommu_model: oneOf('intel smmuv3 virtio auto'),
  hw_vm_mode: oneOf('hvm xen uml exe pv hv baremetal', { anyCase: true }),
  hw_watchdog_action: oneOf('none pause poweroff reset disabled'),
  hw_vif_multiqueue_enabled: flag,
  hw_tpm_model: oneOf('tpm-tis tpm-crb'),
  hw_tpm_version: oneOf('1.2 2.0'),
  hw_ephemeral_encryption: flag,
  hw_ephemeral_encryption_format: oneOf('plain luks luksv2'),
  img_bittorrent: flag,
  img_bdm_v2: flag,
  img_block_device_mapping: list,
  img_cache_in_nova: flag,
  img_compression_level: integer,
  img_hv_requested_version: versions,
  img_hv_type: oneOf(
    'baremetal bhyve docker fake hyperv ironic kqemu kvm lxc lxd openvz parallels phyp qemu test uml vbox vz vmware xen zvm prsm xapi',
    { anyCase: true },
  ),
  img_config_drive: oneOf('optional mandatory'),
  img_linked_clone: flag,
  img_mappings: list,
  img_owner_id: any,
  img_root_device_name: any,
  img_use_agent: flag,
  img_version: integer,
  img_signature: any,
  img_signature_hash_method: oneOf('SHA-224 SHA-256 SHA-384 SHA-512'),
  // Nova only warns of one that is no uuid.
  img_signature_certificate_uuid: any,
  img_signature_key_type: oneOf(
    'DSA ECC_SECP384R1 ECC_SECP521R1 ECC_SECT409K1 ECC_SECT409R1 ECC_SECT571K1 ECC_SECT571R1 RSA-PSS',
  ),
  img_hide_hypervisor_id: flag,
  os_admin_user: any,
  os_command_line: any,
  os_distro: any,
  os_require_quiesce: flag,
  os_secure_boot: oneOf('required disabled optional'),
  os_skip_agent_inject_files_at_boot: flag,
  os_skip_agent_inject_ssh: flag,
  os_type: oneOf('linux windows', { anyCase: true }),
  // Computed from trait:NAME=required; one given by name is passed over.
  traits_required: any,
}
