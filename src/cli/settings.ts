/** From the options of `check` and `explain` to what the core takes. @module */

import {
  type ClientAcl,
  clientAclFromJson,
  type IssuerAcl,
  issuerAclFromJson,
  parseClientAcl,
  parseIssuerAcl,
} from '../acl/index.ts'
import { unixSeconds } from '../base/time.ts'
import { parseIntermediates } from '../client/intermediates.ts'
import type { ValidateOptions } from '../client/options.ts'
import { parseTrustAnchors, type TrustAnchors } from '../client/trust-anchors.ts'
import type { PathOptions } from '../path/options.ts'
import type { PeerName } from '../path/peer-names.ts'
import type { Profile } from '../path/profile.ts'
import type { ExtendedPurpose, Purpose } from '../path/purpose.ts'
import type { Certificate } from '../x509/certificate.ts'
import { liesBeside, listInputs, readBundle, readNeeded } from './files.ts'
import { type Io, type UsageCode, UsageError } from './io.ts'

/** As commander hands them over. */
export interface CheckFlags {
  readonly anchors: readonly string[]
  readonly intermediates: readonly string[]
  readonly acl?: string
  readonly clientAcl?: string
  readonly time?: Date
  readonly purpose?: string
  readonly acceptedPurpose: readonly string[]
  readonly expectName: readonly PeerName[]
  readonly profile?: string
  readonly maxIntermediates?: number
  readonly clockTolerance?: number
  readonly policy: readonly string[]
  readonly requireExplicitPolicy?: true
  readonly inhibitPolicyMapping?: true
  readonly inhibitAnyPolicy?: true
  readonly pinned?: string
  /** False by `--no-anchor-validity`. */
  readonly anchorValidity: boolean
  readonly anchorConstraints: boolean
  readonly validateCertificate: boolean
  readonly dangerouslyAllowSha1?: true
  readonly dangerouslyAllowMd5?: true
  readonly dangerouslyAllowDsa?: true
  readonly dangerouslyMinimumRsaBits?: number
  readonly json?: true
}

export interface Settings {
  readonly options: ValidateOptions & { readonly time: Date }
  readonly issuerAcl: IssuerAcl | undefined
  readonly clientAcl: ClientAcl | undefined
}

/**
 * Reads anchors, intermediates and ACLs; the core checks the rest.
 *
 * @throws UsageError
 */
export async function readSettings(flags: CheckFlags, io: Io): Promise<Settings> {
  const time = flags.time ?? io.now()
  const issuerAcl =
    flags.acl === undefined
      ? undefined
      : await readAcl('--acl', flags.acl, parseIssuerAcl, issuerAclFromJson, io)
  const clientAcl =
    flags.clientAcl === undefined
      ? undefined
      : await readAcl('--client-acl', flags.clientAcl, parseClientAcl, clientAclFromJson, io)
  const withAcl = issuerAcl === undefined ? {} : { issuerAcl }
  if (!flags.validateCertificate) {
    refuseMeaningless(flags)
    return { options: { time, validateCertificate: false, ...withAcl }, issuerAcl, clientAcl }
  }
  const options: ValidateOptions & { readonly time: Date } = {
    time,
    trustAnchors: await readAnchors(flags.anchors, io),
    intermediates: parseIntermediates(await readPool(flags.intermediates, io)),
    ...withAcl,
    clientAcl,
    // The core checks these words again; commander has offered the right ones.
    purpose: flags.purpose as Purpose | undefined,
    acceptedPurposes: some(flags.acceptedPurpose) as readonly ExtendedPurpose[] | undefined,
    expectedPeerNames: some(flags.expectName),
    profile: flags.profile as Profile | undefined,
    maxIntermediates: flags.maxIntermediates,
    clockTolerance: flags.clockTolerance,
    userInitialPolicySet: some(flags.policy),
    initialExplicitPolicy: flags.requireExplicitPolicy,
    initialPolicyMappingInhibit: flags.inhibitPolicyMapping,
    initialAnyPolicyInhibit: flags.inhibitAnyPolicy,
    pinnedTarget: flags.pinned as PathOptions['pinnedTarget'] | undefined,
    anchorChecks: { validity: flags.anchorValidity, constraints: flags.anchorConstraints },
    algorithms: {
      dangerouslyAllowSha1: flags.dangerouslyAllowSha1 ?? false,
      dangerouslyAllowMd5: flags.dangerouslyAllowMd5 ?? false,
      dangerouslyAllowDsa: flags.dangerouslyAllowDsa ?? false,
      ...(flags.dangerouslyMinimumRsaBits === undefined
        ? {}
        : { dangerouslyMinimumRsaBits: flags.dangerouslyMinimumRsaBits }),
    },
  }
  return { options, issuerAcl, clientAcl }
}

async function readAnchors(files: readonly string[], io: Io): Promise<TrustAnchors> {
  if (files.length === 0) {
    throw new UsageError(
      'usage-missing-option',
      'no trust anchor: nothing could ever be accepted',
      'name the CA certificates that you trust with --anchors ca.pem',
    )
  }
  return parseTrustAnchors(await readAll('--anchors', files, 'trust-anchor-unreadable', io))
}

async function readPool(files: readonly string[], io: Io): Promise<readonly Certificate[]> {
  return readAll('--intermediates', files, 'intermediate-unreadable', io)
}

/** Every certificate of these files. One that cannot be read ends the run: left out, it would refuse clients for no reason to be seen. */
async function readAll(
  option: string,
  files: readonly string[],
  code: UsageCode,
  io: Io,
): Promise<readonly Certificate[]> {
  const certificates: Certificate[] = []
  for (const input of await listInputs(files, io)) {
    const { file } = input
    const bundle = readBundle(await readNeeded(option, file, io))
    if ('code' in bundle) {
      if (liesBeside(input, bundle)) continue
      throw new UsageError(
        code,
        `${option} ${file}: ${bundle.code}: ${bundle.message}`,
        bundle.remedy,
      )
    }
    const [bad] = bundle.unreadable
    if (bad !== undefined) {
      const { reason, index } = bad
      throw new UsageError(
        code,
        `${option} ${file}: certificate ${index + 1}: ${reason.code}: ${reason.message}`,
        reason.remedy,
      )
    }
    certificates.push(...bundle.certificates)
  }
  if (certificates.length === 0 && files.length > 0) {
    throw new UsageError(
      'folder-without-certificates',
      `${option}: no certificate in ${files.join(', ')}`,
      'name a file that holds certificates',
    )
  }
  return certificates
}

/** Text, or JSON when it begins like an array. */
async function readAcl<A>(
  option: string,
  file: string,
  fromText: (text: string) => A,
  fromJson: (value: unknown) => A,
  io: Io,
): Promise<A> {
  const bytes = await readNeeded(option, file, io)
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return /^\s*[[{]/.test(text) ? fromJson(JSON.parse(text)) : fromText(text)
  } catch (error) {
    // TypeError: what the ACL reader and the decoder throw; SyntaxError: JSON's.
    if (!(error instanceof TypeError) && !(error instanceof SyntaxError)) throw error
    throw new UsageError(
      'acl-invalid',
      `${option} ${file}: ${error.message}`,
      'one entry a line, for example: allow dn "CN=Issuing CA,O=Example"',
    )
  }
}

function refuseMeaningless(flags: CheckFlags): void {
  const { clientAcl, purpose, profile, pinned, maxIntermediates, clockTolerance } = flags
  const named = Object.entries({
    'client-acl': clientAcl,
    purpose,
    profile,
    pinned,
    'max-intermediates': maxIntermediates,
    'clock-tolerance': clockTolerance,
    anchors: some(flags.anchors),
    intermediates: some(flags.intermediates),
    'accepted-purpose': some(flags.acceptedPurpose),
    'expect-name': some(flags.expectName),
    policy: some(flags.policy),
  }).find(([, value]) => value !== undefined)
  if (named === undefined) return
  throw new UsageError(
    'usage-invalid-value',
    `--${named[0]} has no effect with --no-validate-certificate`,
    'leave one of the two out',
  )
}

function some<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list
}

/**
 * Reads `2026-11-23`, `2026-11-23T22:00:00Z`, the same with `+01:00`, or `@` and Unix seconds. Days that do not exist are refused,
 * and so are times without a zone: they would mean something else on each machine.
 */
export function parseTime(text: string): Date {
  if (/^@\d{1,12}$/.test(text)) return new Date(Number(text.slice(1)) * 1000)
  const match =
    /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/.exec(text)
  const [year, month, day, hour = 0, minute = 0, second = 0] = (match ?? [])
    .slice(1, 7)
    .map((digits) => Number(digits ?? 0))
  const zone = match?.[7] ?? 'Z'
  const offset =
    zone === 'Z'
      ? 0
      : Number(`${zone[0]}1`) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4)))
  const seconds =
    year === undefined || month === undefined || day === undefined
      ? undefined
      : unixSeconds(year, month, day, hour, minute, second)
  if (seconds === undefined || Math.abs(offset) > 14 * 60) {
    throw new UsageError(
      'time-invalid',
      `--time ${text}: no such time`,
      'write 2026-11-23, 2026-11-23T22:00:00Z, 2026-11-23T23:00:00+01:00 or @1795471200',
    )
  }
  return new Date((seconds - offset * 60) * 1000)
}

/** A whole number; the core knows which ones make sense. */
export function parseCount(option: string): (text: string) => number {
  return (text) => {
    if (/^\d{1,9}$/.test(text)) return Number(text)
    throw new UsageError(
      'usage-invalid-value',
      `${option} ${text}: not a whole number`,
      `write ${option} and a number`,
    )
  }
}

/** `DNS:a.example`, `IP:192.0.2.1`, `RFC822:a@example.org`. */
export function parsePeerName(text: string, before: readonly PeerName[] = []): readonly PeerName[] {
  const [, kind, value] = /^(DNS|IP|RFC822):(.+)$/i.exec(text) ?? []
  if (kind === undefined || value === undefined) {
    throw new UsageError(
      'usage-invalid-value',
      `--expect-name ${text}: not a name`,
      'write DNS:server.example, IP:192.0.2.1 or RFC822:someone@example.org',
    )
  }
  return [...before, { kind: kind.toUpperCase() as PeerName['kind'], value }]
}
