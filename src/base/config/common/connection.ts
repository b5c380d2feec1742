/** Where a program's database is. */
import { optional, text } from '../option.ts'

export const connectionOptions = {
  connection: {
    name: 'connection',
    type: optional(text),
    default: null,
    help: 'URL of the database: mysql+pymysql://nova:PASSWORD@controller/nova.',
    secret: true,
  },
} as const
