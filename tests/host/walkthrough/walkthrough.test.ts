import { walkThrough } from './walkthrough.ts'

walkThrough('mariadb')
