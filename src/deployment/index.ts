/** Documents that a manager and its gateways share. @module */

export { canonicalJson, hashOf, sha256Hex } from './canonical.ts'
export {
  type EnvironmentState,
  type GatewayProblem,
  type GatewayReport,
  type RunningProxy,
  readEnvironmentState,
  readGatewayReport,
  readStateShell,
  type StateShell,
} from './channel.ts'
export {
  type DeploymentFailure,
  deploymentFailureCodes,
  describeDeploymentFailure,
} from './failure.ts'
export {
  generateSigningKey,
  publicKeyPem,
  publicKeyText,
  readPublicKey,
  readSigningKey,
  type SigningKey,
  signingKeyPem,
} from './keys.ts'
export {
  checkKillEntry,
  checkLiveData,
  type KillEntryJson,
  type LiveCrl,
  type LiveData,
  type LiveKillEntry,
  maxLiveBytes,
  readLiveData,
} from './live.ts'
export type { Place } from './place.ts'
export {
  type LivePointer,
  type Pointer,
  readSigned,
  readSignedLivePointer,
  readSignedPointer,
  type Signed,
  signDocument,
} from './pointer.ts'
export { type EnvironmentSet, readSignedSet, type SetEntry } from './set.ts'
export {
  checkRevocation,
  checkSnapshot,
  checkUpstream,
  defaultRevocation,
  defaultUpstream,
  maxSnapshotBytes,
  type RevocationSettings,
  readSnapshot,
  type Snapshot,
  trustOf,
  type Upstream,
  usabilityFailure,
} from './snapshot.ts'
