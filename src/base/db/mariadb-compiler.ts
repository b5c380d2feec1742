import {
  type AddColumnNode,
  type CreateIndexNode,
  type CreateTableNode,
  type DataTypeNode,
  type InsertQueryNode,
  MysqlQueryCompiler,
  type OnConflictNode,
  OrActionNode,
  type ReferenceNode,
} from 'kysely'

/** Types whose MariaDB namesake holds less than SQLite's. */
const wider: Readonly<Record<string, string>> = { integer: 'bigint', real: 'double', text: 'mediumtext' }

/** Writes in MariaDB's words what stores and migrations say in SQLite's and PostgreSQL's. */
export class MariadbQueryCompiler extends MysqlQueryCompiler {
  // MariaDB commits each table, column and index by itself: a migration that was killed half-way begins again.
  protected override visitCreateTable(node: CreateTableNode): void {
    super.visitCreateTable({ ...node, ifNotExists: true })
    // Texts compare by their code points and count blanks at their end, as in the other two databases.
    this.append(' engine = InnoDB default character set utf8mb4 collate utf8mb4_nopad_bin')
  }

  protected override visitCreateIndex(node: CreateIndexNode): void {
    super.visitCreateIndex({ ...node, ifNotExists: true })
  }

  protected override visitAddColumn(node: AddColumnNode): void {
    this.append('add column if not exists ')
    this.visitNode(node.column)
  }

  protected override visitDataType(node: DataTypeNode): void {
    this.append(wider[node.dataType as string] ?? String(node.dataType))
  }

  protected override visitInsertQuery(node: InsertQueryNode): void {
    const { onConflict, ...rest } = node
    super.visitInsertQuery(
      onConflict?.doNothing === true ? { ...rest, orAction: OrActionNode.create('ignore') } : node,
    )
  }

  // Which key is in the way cannot be said in MariaDB: any counts.
  protected override visitOnConflict(node: OnConflictNode): void {
    if (node.updates === undefined || node.updateWhere !== undefined)
      throw new Error('MariaDB has no form of this on conflict.')
    this.append('on duplicate key update ')
    this.compileList(node.updates)
  }

  // `excluded.column` is the value that the insert had.
  protected override visitReference(node: ReferenceNode): void {
    if (node.table?.table.identifier.name === 'excluded') {
      this.append('values(')
      this.visitNode(node.column)
      this.append(')')
    } else super.visitReference(node)
  }
}
