/** Reading lists, responses and kill lists that are named on the command line. @module */

import type { Result } from '../base/result.ts'
import { describeFailure } from '../client/failure.ts'
import { type RevocationInputFailure, readRevocationInput } from '../revocation/input.ts'
import { createKillList, type KillList } from '../revocation/kill-list.ts'
import type { KillListEntry } from '../revocation/kill-list-entry.ts'
import type { CertificateList } from '../x509/crl.ts'
import type { ParseFailure } from '../x509/failure.ts'
import { startsLikeDer } from '../x509/input.ts'
import type { OcspResponse } from '../x509/ocsp.ts'
import { parseCertificate } from '../x509/parse-certificate.ts'
import { parseCrl } from '../x509/parse-crl.ts'
import { parseOcspResponse } from '../x509/parse-ocsp.ts'
import { type FileKind, type Input, listInputs, type Reason, readNeeded } from './files.ts'
import { type Io, type UsageCode, UsageError } from './io.ts'
import { parseTime } from './times.ts'

/** What one file holds, in its order. */
export interface Read<T> {
  readonly items: readonly T[]
  readonly unreadable: readonly { readonly index: number; readonly reason: Reason }[]
}

/** The lists of one file; a reason when there is none. */
export function readCrlFile(bytes: Uint8Array): Read<CertificateList> | Reason {
  return readFile(bytes, crl)
}

/** The responses of one file; a reason when there is none. */
export function readOcspFile(bytes: Uint8Array): Read<OcspResponse> | Reason {
  return readFile(bytes, ocsp)
}

/**
 * Every list of these files. One that cannot be read ends the run: left out, it would let a revoked certificate pass, or refuse others for
 * no reason to be seen.
 *
 * @throws UsageError
 */
export async function readCrls(
  files: readonly string[],
  io: Io,
): Promise<readonly CertificateList[]> {
  const lists: CertificateList[] = []
  for (const input of await listInputs(files, io, crlFiles)) {
    const { file } = input
    const read = readCrlFile(await readNeeded('--crl', file, io, maxCrlOctets))
    if ('code' in read && liesBesideCrls(input, read)) continue
    lists.push(...allOf('--crl', file, read, 'crl-unreadable'))
  }
  if (lists.length > 0 || files.length === 0) return lists
  const message = `--crl: no CRL in ${files.join(', ')}`
  throw new UsageError('folder-without-crls', message, 'name a file that holds one')
}

/**
 * Every response of these files, for the same reason.
 *
 * @throws UsageError
 */
export async function readOcspResponses(
  files: readonly string[],
  io: Io,
): Promise<readonly OcspResponse[]> {
  const responses: OcspResponse[] = []
  for (const file of files) {
    const read = readOcspFile(await readNeeded('--ocsp', file, io))
    responses.push(...allOf('--ocsp', file, read, 'ocsp-unreadable'))
  }
  return responses
}

/**
 * A JSON array of entries as `createKillList` takes them, `expires` as text.
 *
 * @throws UsageError
 */
export async function readKillList(file: string, io: Io): Promise<KillList> {
  const bytes = await readNeeded('--kill-list', file, io)
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    const entries: unknown = JSON.parse(text)
    if (!Array.isArray(entries)) throw new TypeError('expected a JSON array of entries')
    return createKillList(entries.map(killListEntry))
  } catch (error) {
    if (error instanceof UsageError) {
      throw new UsageError('kill-list-invalid', `--kill-list ${file}: ${error.message}`, entryForm)
    }
    // TypeError: what the kill list and the decoder throw; SyntaxError: JSON's.
    if (!(error instanceof TypeError) && !(error instanceof SyntaxError)) throw error
    throw new UsageError('kill-list-invalid', `--kill-list ${file}: ${error.message}`, entryForm)
  }
}

/** JSON has no dates. Whatever else is wrong with an entry, the list says itself. */
function killListEntry(given: unknown): KillListEntry {
  if (typeof given !== 'object' || given === null) return given as unknown as KillListEntry
  const { expires, ...fields } = given as { readonly expires?: unknown }
  const date = typeof expires === 'string' ? parseTime(expires, 'expires') : expires
  return (expires === undefined ? fields : { ...fields, expires: date }) as KillListEntry
}

const entryForm =
  'write entries as [{"issuer": "CN=Issuing CA,O=Example", "serialNumber": "0a:3f", "note": "…", "expires": "2027-01-31T00:00:00Z"}]'

/** Whether a file found in a folder of lists is something that lies beside them. */
export function liesBesideCrls({ found }: Input, { code }: Reason): boolean {
  return found && code === 'revocation-input-other-kind'
}

/** @throws UsageError with `code` when anything of the file cannot be read. */
function allOf<T>(
  option: string,
  file: string,
  read: Read<T> | Reason,
  code: UsageCode,
): readonly T[] {
  const [bad] = 'code' in read ? [{ index: 0, reason: read }] : read.unreadable
  if (bad === undefined) return 'code' in read ? [] : read.items
  const { reason, index } = bad
  const place = 'code' in read ? '' : `part ${index + 1}: `
  const message = `${option} ${file}: ${place}${reason.code}: ${reason.message}`
  throw new UsageError(code, message, reason.remedy)
}

interface Kind<T> {
  /** Of a PEM block. */
  readonly label: string
  readonly name: string
  /** What to do with it where something else is wanted. */
  readonly place: string
  readonly parse: (der: Uint8Array) => Result<T, ParseFailure>
}

const crl: Kind<CertificateList> = {
  label: 'X509 CRL',
  name: 'a CRL',
  place: 'lists go with --crl; mtls-policy crl show prints one',
  parse: parseCrl,
}
const ocsp: Kind<OcspResponse> = {
  label: 'OCSP RESPONSE',
  name: 'an OCSP response',
  place: 'responses go with --ocsp; mtls-policy ocsp show prints one',
  parse: parseOcspResponse,
}
const certificate: Kind<unknown> = {
  label: 'CERTIFICATE',
  name: 'a certificate',
  place:
    'CA certificates go with --anchors, --intermediates or --issuer; mtls-policy show prints one',
  parse: parseCertificate,
}
const kinds: readonly Kind<unknown>[] = [crl, ocsp, certificate]

function readFile<T>(bytes: Uint8Array, kind: Kind<T>): Read<T> | Reason {
  if (bytes.length === 0) {
    return {
      code: 'input-empty',
      message: 'the file is empty',
      source: 'local file',
      remedy: `give ${kind.name}`,
    }
  }
  // As one text at once: octet by octet a list of a million entries would take seconds.
  const input = startsLikeDer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  const parts = readRevocationInput(input, kind.label)
  if (!parts.ok) return inputReason(parts.failure, kind)
  const items: T[] = []
  const unreadable: { index: number; reason: Reason }[] = []
  parts.value.parts.forEach((der, index) => {
    const parsed = kind.parse(der)
    if (parsed.ok) items.push(parsed.value)
    else unreadable.push({ index, reason: parseReason(der, parsed.failure, kind) })
  })
  const { damaged } = parts.value
  if (damaged !== undefined) {
    unreadable.push({ index: parts.value.parts.length, reason: inputReason(damaged, kind) })
  }
  return items.length === 0 && unreadable[0] !== undefined
    ? unreadable[0].reason
    : { items, unreadable }
}

function inputReason(failure: RevocationInputFailure, { name, label }: Kind<unknown>): Reason {
  const { code } = failure
  switch (failure.code) {
    case 'revocation-input-unrecognized':
      return {
        code,
        message: 'this is neither PEM nor DER nor base64 of DER',
        source: 'RFC 7468 §2',
        remedy: `give ${name} in DER, or in PEM with the label ${label}`,
      }
    case 'revocation-input-pem-malformed':
      return {
        code,
        message: `PEM block ${failure.block + 1} is damaged or has no END line`,
        source: 'RFC 7468 §3',
        remedy: 'copy or fetch the whole file again',
      }
    case 'revocation-input-other-kind': {
      const other = kinds.find((one) => one.label === failure.label)
      return otherKind(other?.name ?? `a PEM block with the label ${failure.label}`, name, other)
    }
  }
}

/** What cannot be read as one kind may well be another. */
function parseReason(der: Uint8Array, failure: ParseFailure, wanted: Kind<unknown>): Reason {
  const other = kinds.find((one) => one !== wanted && one.parse(der).ok)
  if (other !== undefined) return otherKind(other.name, wanted.name, other)
  const { code, message, source } = describeFailure(failure)
  return {
    code,
    message: `this is not ${wanted.name} in DER: ${message}`,
    source,
    remedy:
      code === 'der-truncated'
        ? 'copy or fetch the whole file again'
        : 'fetch it again, or have it issued again with software that writes DER',
  }
}

function otherKind(found: string, wanted: string, other: Kind<unknown> | undefined): Reason {
  return {
    code: 'revocation-input-other-kind',
    message: `this is ${found}, not ${wanted}`,
    source: 'RFC 7468 §5',
    remedy: other === undefined ? `give ${wanted}` : `give ${wanted} here; ${other.place}`,
  }
}

/** What octets are that are no certificate; `undefined`: nothing known here. */
export function insteadOfCertificate(bytes: Uint8Array): Reason | undefined {
  const found = startsLikeDer(bytes) ? parseOcspResponse(bytes).ok : isOcspPem(bytes)
  return found ? otherKind(ocsp.name, certificate.name, ocsp) : undefined
}

function isOcspPem(bytes: Uint8Array): boolean {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 64))
  return head.toString('latin1').startsWith(`-----BEGIN ${ocsp.label}-----`)
}

/** Names of lists as CAs and OpenSSL's hash folders have them. */
export const crlFiles: FileKind = {
  endings: /\.(?:crl|pem|der|r\d+)$/i,
  empty: 'folder-without-crls',
  what: 'CRLs',
  remedy: 'lists are files that end in .crl .pem .der or .r0; folders inside are not searched',
}
/** Local limit: as the reader of lists has it. */
export const maxCrlOctets = 536_870_912
