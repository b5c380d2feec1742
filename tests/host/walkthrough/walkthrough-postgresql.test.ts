import { walkThrough } from './walkthrough.ts'

walkThrough('postgresql')
