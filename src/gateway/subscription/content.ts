/** Whether octets are what a signed pointer names, wherever they come from. @module */

import { failed, type Result, success } from '../../base/result.ts'
import { sha256Hex } from '../../deployment/canonical.ts'
import type { DeploymentFailure } from '../../deployment/failure.ts'
import { type LiveData, readLiveData } from '../../deployment/live.ts'
import type { LivePointer, Pointer } from '../../deployment/pointer.ts'
import { readSnapshot, type Snapshot } from '../../deployment/snapshot.ts'

/** The hash comes first: what nobody signed for is not parsed. */
export function verifySnapshot(
  octets: Uint8Array,
  { hash, project, apiProxy }: Pointer,
): Result<Snapshot, DeploymentFailure> {
  const actual = sha256Hex(octets)
  if (actual !== hash) return mismatch('snapshot-hash-mismatch', '', String(hash), actual)
  const read = readSnapshot(octets)
  if (!read.ok) return read
  const { value } = read
  if (value.project !== project) {
    return mismatch('proxy-mismatch', 'project', project, value.project)
  }
  return value.apiProxy === apiProxy
    ? read
    : mismatch('proxy-mismatch', 'apiProxy', apiProxy, value.apiProxy)
}

export function verifyLiveData(
  octets: Uint8Array,
  { hash, environment }: LivePointer,
): Result<LiveData, DeploymentFailure> {
  const actual = sha256Hex(octets)
  if (actual !== hash) return mismatch('live-hash-mismatch', '', hash, actual)
  const read = readLiveData(octets)
  if (!read.ok || read.value.environment === environment) return read
  return mismatch('environment-mismatch', 'environment', environment, read.value.environment)
}

export function verifyCrl(
  octets: Uint8Array,
  sha256: string,
): Result<Uint8Array, DeploymentFailure> {
  const actual = sha256Hex(octets)
  return actual === sha256 ? success(octets) : mismatch('crl-hash-mismatch', '', sha256, actual)
}

function mismatch(
  code:
    | 'snapshot-hash-mismatch'
    | 'live-hash-mismatch'
    | 'crl-hash-mismatch'
    | 'proxy-mismatch'
    | 'environment-mismatch',
  path: string,
  expected: string,
  actual: string,
): Result<never, DeploymentFailure> {
  return failed({ code, path, expected, actual })
}
