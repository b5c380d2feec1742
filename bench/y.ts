import { startCloudDatabasesOn } from '../src/testing/databases/cloud-databases.ts'
import { durableMariadb } from '../src/testing/databases/mariadb.ts'
import { openDatabase } from '../src/base/db/database.ts'
import { migrate } from '../src/base/db/migrate.ts'
import { cellMigrations } from '../src/compute/store/migrations/list.ts'
import { cpuMilliseconds } from './processes.ts'
import { sql } from 'kysely'
import { randomUUID } from 'node:crypto'
const database = await startCloudDatabasesOn(durableMariadb)
const db = openDatabase<any>(database.url('nova'))
await migrate(db, cellMigrations)
const project = 'a'.repeat(32)
for (let i = 0; i < 600; i++) {
  const t = new Date(Date.now() + i).toISOString()
  await db.insertInto('instances').values({ uuid: randomUUID(), user_id: 'u'.repeat(32), project_id: project, image_ref: randomUUID(), launch_index: 0, key_name: null, key_data: null, power_state: 1, vm_state: 'active', task_state: null, memory_mb: 1, vcpus: 1, root_gb: 1, ephemeral_gb: 0, hostname: `bench-${i}`, host: `compute${i % 10}`, node: 'n', launched_on: 'n', user_data: null, reservation_id: 'r', launched_at: t, terminated_at: null, availability_zone: null, display_name: `bench-${i}`, display_description: null, locked: 0, locked_by: null, config_drive: '', progress: 0, auto_disk_config: 1, access_ip_v4: null, access_ip_v6: null, root_device_name: '/dev/vda', flow_id: null, created_at: t, updated_at: t, deleted_at: null, deleted: 0 }).execute()
}
await sql`analyze table instances`.execute(db)
const pid = database.processId()!
async function time(what: string, q: any, n = 400) {
  for (let i = 0; i < 50; i++) await q.execute(db)
  const b = cpuMilliseconds(pid), o = process.cpuUsage()
  for (let i = 0; i < n; i++) await q.execute(db)
  const own = process.cpuUsage(o)
  console.log(what, 'mariadb', ((cpuMilliseconds(pid) - b) / n).toFixed(3), 'node', ((own.user + own.system) / 1000 / n).toFixed(3))
  const plan = await sql`explain ${q}`.execute(db); console.log(JSON.stringify((plan.rows as any[]).map((r) => [r.key, r.rows, r.Extra])))
}
const keys = sql`select uuid, display_name, id, revision, created_at from instances where deleted = 0 and project_id = ${project} order by created_at desc, uuid limit 1000`
const names = sql`select uuid, display_name, created_at from instances where deleted = 0 and project_id = ${project} order by created_at desc, uuid limit 1000`
const unordered = sql`select uuid, display_name, id, revision, created_at from instances where deleted = 0 and project_id = ${project}`
const short = sql`select id, revision from instances where deleted = 0 and project_id = ${project}`
const packed = sql`select group_concat(id, ':', revision order by created_at desc, uuid separator ',') as a from instances where deleted = 0 and project_id = ${project}`
await time('one', sql`select 1`)
await time('keys', keys); await time('names', names); await time('unordered', unordered); await time('id+rev', short); await time('packed', packed)
await time('sum', sql`select count(*) as n, sum(revision) as r, max(id) as m from instances where deleted = 0 and project_id = ${project}`)
await time('limit100', sql`select uuid, display_name, id, revision, created_at from instances where deleted = 0 and project_id = ${project} order by created_at desc, uuid limit 100`)
await sql`create index ix1 on instances (project_id, deleted, created_at desc, uuid, display_name)`.execute(db)
await sql`analyze table instances`.execute(db)
await time('keys ix', keys); await time('names ix', names)
await time('limit100 ix', sql`select uuid, display_name, id, revision, created_at from instances where deleted = 0 and project_id = ${project} order by created_at desc, uuid limit 100`)
await sql`create index ix2 on instances (project_id, deleted, created_at desc, uuid, display_name, revision)`.execute(db)
await sql`drop index ix1 on instances`.execute(db)
await sql`analyze table instances`.execute(db)
await time('keys ix2', keys); await time('names ix2', names); await time('id+rev ix2', short)
await time('sum ix2', sql`select count(*) as n, sum(revision) as r, max(id) as m from instances where deleted = 0 and project_id = ${project}`)
await db.destroy(); await database.stop()
