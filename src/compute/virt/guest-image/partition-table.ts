/** The master boot record of a small disk. */

export interface Partition {
  startSector: number
  sectors: number
  /** 0x0e: FAT16, 0x83: Linux. */
  type: number
  active: boolean
}

const codeSize = 440
const tableOffset = 446
/** Says: use the sector numbers, not cylinders and heads. */
const noGeometry = [0xfe, 0xff, 0xff] as const

/** The first sector: the boot program, the table and its signature. */
export function masterBootRecord(code: Buffer, partitions: readonly Partition[]): Buffer {
  const sector = Buffer.alloc(512)
  code.copy(sector, 0, 0, codeSize)
  for (const [index, partition] of partitions.entries()) {
    const entry = tableOffset + index * 16
    sector.set([partition.active ? 0x80 : 0, ...noGeometry, partition.type, ...noGeometry], entry)
    sector.writeUInt32LE(partition.startSector, entry + 8)
    sector.writeUInt32LE(partition.sectors, entry + 12)
  }
  sector.set([0x55, 0xaa], 510)
  return sector
}
