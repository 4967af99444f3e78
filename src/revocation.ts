/** The entry `mtls-policy/revocation` under Node: what revocation is held against, and getting it. @module */

export * from './revocation.web.ts'

export type { CacheFailure } from './runtime/revocation/cache-folder.ts'
export type {
  RevocationEvent,
  RevocationEventFacts,
  SourceStatus,
} from './runtime/revocation/event.ts'
export type { Lookup } from './runtime/revocation/exchange.ts'
export type {
  FetchFailure,
  FileFailure,
  SourceFailure,
  TakeFailure,
} from './runtime/revocation/failure.ts'
export type {
  CrlOptions,
  OcspOptions,
  RefreshOptions,
  RetryOptions,
  RevocationSourceOptions,
} from './runtime/revocation/options.ts'
export { createRevocationSource, type RevocationSource } from './runtime/revocation/source.ts'
export type { UriFailure } from './runtime/revocation/uri.ts'
