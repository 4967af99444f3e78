/** Snapshots as they are deployed. @module */

import { hashOf } from '../src/deployment/canonical.ts'
import type { Snapshot } from '../src/deployment/snapshot.ts'
import type { DeployedProxy } from '../src/gateway/index.ts'

export function deployedProxy(snapshot: Snapshot): DeployedProxy {
  return { hash: hashOf(snapshot), snapshot }
}
