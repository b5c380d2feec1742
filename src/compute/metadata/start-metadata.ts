import type { FastifyInstance } from 'fastify'
import type { NetworkClient } from '#network/client.ts'
import type { Logger } from '../../base/log.ts'
import type { InstanceDbs } from '../store/instances.ts'
import { createMetadataApp } from './app.ts'
import { metadataSource } from './find-facts.ts'

/** The metadata service over the databases and Network; the caller listens with it and closes it. */
export const startMetadata = (
  options: InstanceDbs & { network: NetworkClient; sharedSecret: string | null; log: Logger },
): FastifyInstance => createMetadataApp({ ...options, ...metadataSource(options) })
