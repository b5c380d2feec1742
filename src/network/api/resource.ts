/**
 * A resource of the API, described once: from it come its routes, the checks of bodies, filters, sorting, paging,
 * tenancy and policies. What only this resource does is in its `create`, `update` and `remove`.
 */
import type { RawBuilder, SqlBool } from 'kysely'
import type { Db } from '../../base/db/database.ts'
import type { Fault } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import type { NetworkOptions } from '../config.ts'
import type { Tables } from '../store/tables.ts'
import type { Work, WorkDeps } from '../work.ts'
import type { Attributes, Values } from './attributes.ts'
import type { Caller } from './caller.ts'

export interface ApiDeps extends WorkDeps {
  /** The extensions that the configuration brings. */
  aliases: ReadonlySet<string>
  log: Logger
}

export type Condition = RawBuilder<SqlBool>

/** The rows that have one of these values. */
export type Filter = (values: readonly string[], caller: Caller) => Condition

/** What a view needs besides the rows. */
export interface ViewContext {
  options: NetworkOptions
  caller: Caller
  /** The attributes that will be shown, absent: all. What costs a read of its own may be left out when not among them. */
  fields?: ReadonlySet<string>
}

/** True when a view must have one of these attributes. */
export const isAsked = ({ fields }: ViewContext, ...names: readonly string[]): boolean =>
  fields === undefined || names.some((name) => fields.has(name))

/** What was made, without reading it again. */
export interface Created {
  view(context: ViewContext): Values
}

export interface Resource<Row extends { id: string }> {
  /** `security_group`: the key in bodies and the end of its rules' names. */
  name: string
  /** `security_groups`: the key of lists. */
  collection: string
  /** `security-groups`. */
  path: string
  table: keyof Tables & string
  attributes: Attributes
  unknown(id: string): Fault
  /** Columns that are not called as their attribute. */
  columns?: Readonly<Record<string, string>>
  /** Filters that are more than `column in (…)`. */
  filters?: Readonly<Record<string, Filter>>
  /** What a caller who is no admin can see; undefined: all of it. */
  visible?(caller: Caller): Condition
  /** Its rows as the API shows them, in the same order, with all attributes. */
  view(db: Db<Tables>, rows: readonly Row[], context: ViewContext): Promise<Values[]>
  /** Facts for policies beyond the resource's own attributes: the owner of its network. */
  facts?(db: Db<Tables>, resources: readonly Values[], caller: Caller): Promise<Values[]>
  /** Rules beyond those of single attributes that a write must pass. */
  extraRules?(action: string, sent: Values): string[]
  /** Returns the id of the new row, or it as it is shown, where that need not be read. */
  create?(work: Work, values: Values, caller: Caller): Promise<string | Created>
  update?(work: Work, row: Row, values: Values, caller: Caller): Promise<void>
  remove?(work: Work, row: Row, caller: Caller): Promise<void>
  /** Before a list: for what is made when it is first looked for. */
  beforeList?(
    deps: ApiDeps,
    caller: Caller,
    query: Readonly<Record<string, readonly string[]>>,
  ): Promise<void>
  /** Counts against the quota of its name. */
  counted?: boolean
  /** Has a revision number, timestamps and a description. */
  standard?: boolean
  /** Has tags. */
  tagged?: boolean
  /** Its rows can be shared by RBAC policies of this type. */
  objectType?: string
}

// biome-ignore lint/suspicious/noExplicitAny: a list of resources holds those of every row type.
export type AnyResource = Resource<any>
