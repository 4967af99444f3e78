/** From the options of `check` and `explain` to what the core takes. @module */

import {
  type ClientAcl,
  clientAclFromJson,
  type IssuerAcl,
  issuerAclFromJson,
  parseClientAcl,
  parseIssuerAcl,
} from '../acl/index.ts'
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
import { readKillList } from './revocation-files.ts'
import {
  nothingFetched,
  type RevocationFlags,
  type RevocationSettings,
  readRevocation,
} from './revocation-settings.ts'

/** As commander hands them over. */
export interface CheckFlags extends RevocationFlags {
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

export interface Settings extends Pick<RevocationSettings, 'fetches' | 'fetched' | 'close'> {
  readonly options: ValidateOptions & { readonly time: Date }
  readonly issuerAcl: IssuerAcl | undefined
  readonly clientAcl: ClientAcl | undefined
}

/**
 * Reads anchors, intermediates, ACLs and what is known of revocation; the core checks the rest. What was begun to be fetched goes on until
 * `close`.
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
    const killList =
      flags.killList === undefined ? undefined : await readKillList(flags.killList, io)
    const options = { time, validateCertificate: false, killList, ...withAcl } as const
    return { options, issuerAcl, clientAcl, ...nothingFetched }
  }
  const trustAnchors = await readAnchors(flags.anchors, io)
  const intermediates = parseIntermediates(await readPool(flags.intermediates, io))
  const { revocation, killList, ...fetching } = await readRevocation(flags, io)
  const options: ValidateOptions & { readonly time: Date } = {
    time,
    trustAnchors,
    intermediates,
    ...withAcl,
    clientAcl,
    killList,
    revocation,
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
  return { options, issuerAcl, clientAcl, ...fetching }
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
export async function readAll(
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
    crl: some(flags.crl),
    ocsp: some(flags.ocsp),
    revocation: flags.revocation,
    fetch: flags.fetch,
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
