/** What revocation is held against, wherever JavaScript runs: the entry `mtls-policy/revocation` without a network. @module */

export { type CrlSource, type Crls, parseCrls, type UnreadableCrl } from './revocation/crls.ts'
export { createKillList, type KillList, type KillListed } from './revocation/kill-list.ts'
export type { KillListEntry, KillListInvalid } from './revocation/kill-list-entry.ts'
export type { KillFailure } from './revocation/kill-lists.ts'
export type { StatusProvider, WantedStatus } from './revocation/provider.ts'
export {
  type OcspResponseSource,
  type OcspResponses,
  parseOcspResponses,
  type UnreadableResponse,
} from './revocation/responses.ts'
export type {
  CertificateStatus,
  StatusEvidence,
  StatusIssuer,
  StatusProblem,
} from './revocation/status.ts'
