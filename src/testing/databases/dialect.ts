export const testDialects = ['sqlite', 'mysql', 'postgresql'] as const
export type TestDialect = (typeof testDialects)[number]

/** What this run tests on. */
export const testDialect: TestDialect = readDialect(process.env['TEST_DB'] ?? 'sqlite')

function readDialect(name: string): TestDialect {
  const known = testDialects.find((dialect) => dialect === name)
  if (known !== undefined) return known
  throw new Error(`TEST_DB is ${name}, and one process tests on one of ${testDialects.join(', ')}.`)
}
