/** Reading what is named on the command line: files, folders, standard input; PEM, DER, base64, PKCS #7. @module */

import { readdir, readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { bytesEqual } from '../base/bytes.ts'
import { readCertificates, type Unreadable } from '../client/certificate-source.ts'
import { describeFailure, type Failure } from '../client/failure.ts'
import { type Pkcs7Failure, parsePkcs7 } from '../pkcs7/index.ts'
import type { Certificate } from '../x509/certificate.ts'
import { type OtherKind, readCertificateInput } from '../x509/input.ts'
import { type Io, type UsageCode, UsageError } from './io.ts'

/** Why something is not as it should be, for people and for JSON. */
export interface Reason {
  readonly code: string
  readonly message: string
  /** RFC and section, or `local …`. */
  readonly source: string
  readonly remedy: string
  /** For `input-not-a-certificate`: what it is instead. */
  readonly kind?: OtherKind
}

/** A failure of the core in words. */
export function reasonOf(failure: Failure): Reason {
  const reason = describeFailure(failure)
  if (failure.code !== 'input-not-a-certificate') return reason
  const { kind } = failure
  if (kind !== 'certificate-revocation-list') return { ...reason, kind }
  return { ...reason, kind, remedy: 'name it with --crl, and give the certificate itself here' }
}

/** Whether a file found in a folder is of the kinds that lie beside certificates; named on its own it is a mistake. */
export function liesBeside({ found }: Input, reason: Reason | undefined): boolean {
  return found && reason?.kind !== undefined && besideCertificates.includes(reason.kind)
}

export interface Input {
  /** As the user wrote it, or below the folder that the user wrote; `-` for standard input. */
  readonly file: string
  /** Found in a folder, where other files lie beside certificates. */
  readonly found: boolean
}

/** What is looked for in a folder. */
export interface FileKind {
  readonly endings: RegExp
  readonly empty: Extract<UsageCode, `folder-without-${string}`>
  readonly what: string
  readonly remedy: string
}

/**
 * Files as they are named, and those in the folders that are named.
 *
 * @throws UsageError with code `folder-without-…` or `stdin-twice`.
 */
export async function listInputs(
  names: readonly string[],
  io: Io,
  { endings, empty, what, remedy }: FileKind = certificateFiles,
): Promise<readonly Input[]> {
  const inputs: Input[] = []
  if (names.filter((name) => name === '-').length > 1) {
    throw new UsageError('stdin-twice', 'standard input is named twice', 'name - once')
  }
  for (const name of names) {
    const entry = name === '-' ? undefined : await statOf(resolve(io.cwd, name))
    if (entry?.isDirectory() !== true) {
      inputs.push({ file: name, found: false })
      continue
    }
    const inside = await readdir(resolve(io.cwd, name), { withFileTypes: true })
    const files = inside
      .filter((one) => one.isFile() && endings.test(one.name))
      .map((one) => ({ file: join(name, one.name), found: true }))
      .sort((a, b) => (a.file < b.file ? -1 : 1))
    if (files.length === 0) {
      throw new UsageError(empty, `no ${what} in the folder ${name}`, remedy)
    }
    inputs.push(...files)
  }
  return inputs
}

/** The octets of one input, or why there are none. */
export async function readInput(
  file: string,
  io: Io,
  maximum: number = maxOctets,
): Promise<Uint8Array | Reason> {
  try {
    if (file === '-') return limited(await io.readStdin(), maximum)
    const path = resolve(io.cwd, file)
    const { size } = await stat(path)
    return size > maximum ? tooLarge(maximum) : limited(await readFile(path), maximum)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (typeof code !== 'string') throw error
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      return {
        code: 'file-not-found',
        message: 'there is no such file',
        source: 'local file',
        remedy: `check the name; relative names start at ${io.cwd}`,
      }
    }
    return {
      code: 'file-unreadable',
      message: `the file cannot be read (${code})`,
      source: 'local file',
      remedy: code === 'EISDIR' ? 'name a file' : 'check its permissions',
    }
  }
}

/** As {@link readInput}, for files without which nothing can be done. */
export async function readNeeded(
  option: string,
  file: string,
  io: Io,
  maximum: number = maxOctets,
): Promise<Uint8Array> {
  const bytes = await readInput(file, io, maximum)
  if (bytes instanceof Uint8Array) return bytes
  const code = bytes.code as 'file-not-found' | 'file-unreadable' | 'file-too-large'
  throw new UsageError(code, `${option} ${file}: ${bytes.message}`, bytes.remedy)
}

export interface Bundle {
  /** In the order of the file. */
  readonly certificates: readonly Certificate[]
  readonly unreadable: readonly { readonly index: number; readonly reason: Reason }[]
  /** How many CRLs lie beside them. */
  readonly crls: number
  readonly format: 'certificates' | 'pkcs7'
}

/** Every certificate of one file; a reason when there is none. */
export function readBundle(bytes: Uint8Array): Bundle | Reason {
  if (!isPkcs7(bytes)) {
    const read = readCertificates(bytes)
    if (!read.ok) return reasonOf(read.failure)
    const { certificates, unreadable } = read.value
    return { certificates, unreadable: unreadable.map(explain), crls: 0, format: 'certificates' }
  }
  const read = parsePkcs7(bytes)
  if (!read.ok) return describePkcs7(read.failure)
  const { certificates, crls, unreadable } = read.value
  return {
    certificates,
    unreadable: unreadable.map(({ index, failure }) => ({
      index,
      reason: failure.code === 'pkcs7-not-x509' ? notX509 : describeFailure(failure),
    })),
    crls: crls.length,
    format: 'pkcs7',
  }
}

/** What a client presented: the octets as they are, or the certificates of a PKCS #7 bundle with the client's own first. */
export function readPresentedFile(bytes: Uint8Array): Uint8Array | readonly Certificate[] | Reason {
  if (!isPkcs7(bytes)) return bytes
  const bundle = readBundle(bytes)
  if ('code' in bundle) return bundle
  // A bundle is a set. Which one is the client's can be told only when there is one that is no CA.
  const clients = bundle.certificates.filter(
    ({ tbsCertificate }) => tbsCertificate.extensions.basicConstraints?.cA !== true,
  )
  const [client] = clients
  if (client === undefined || clients.length > 1 || bundle.unreadable.length > 0) {
    return {
      code: 'bundle-ambiguous',
      message: `the PKCS#7 bundle does not tell which certificate is the client's: ${clients.length} of ${bundle.certificates.length} are no CA${bundle.unreadable.length > 0 ? `, ${bundle.unreadable.length} cannot be read` : ''}`,
      source: 'RFC 5652 §5.1',
      remedy: 'give the client certificate as PEM or DER, and the bundle with --intermediates',
    }
  }
  return [client, ...bundle.certificates.filter(({ der }) => !bytesEqual(der, client.der))]
}

function isPkcs7(bytes: Uint8Array): boolean {
  const input = readCertificateInput(bytes)
  if (!input.ok) {
    const { failure } = input
    return failure.code === 'input-not-a-certificate' && failure.kind === 'pkcs7'
  }
  // An envelope of indefinite length, as Java and Windows write it, is no DER: what it is shows only when it is read.
  const [first] = input.value.certificates
  return first?.[1] === indefinite && parsePkcs7(bytes).ok
}

function explain({ index, failure }: Unreadable): Bundle['unreadable'][number] {
  return { index, reason: describeFailure(failure) }
}

function describePkcs7(failure: Pkcs7Failure): Reason {
  const source = 'RFC 5652 §5'
  const { code } = failure
  switch (failure.code) {
    case 'pkcs7-unreadable':
      return failure.failure.code === 'pkcs7-not-x509' ? notX509 : describeFailure(failure.failure)
    case 'pkcs7-no-certificates':
      return {
        code,
        source,
        message: 'the PKCS#7 bundle holds no certificate',
        remedy: 'export the bundle again with its certificates',
      }
    case 'pkcs7-not-signed-data':
      return {
        code,
        source,
        message: `the PKCS#7 file holds no bundle but content of type ${failure.contentType}`,
        remedy: 'give a certs-only .p7b or .p7c file',
      }
    case 'pkcs7-too-large':
      return {
        code,
        source: 'local limit',
        message: `the bundle has more than ${failure.maximum} octets`,
        remedy: 'give the certificates that are needed',
      }
    default:
      return {
        code,
        source,
        message: 'the PKCS#7 bundle is damaged',
        remedy: 'copy or export the whole file again',
      }
  }
}

async function statOf(path: string) {
  try {
    return await stat(path)
  } catch (error) {
    if (typeof (error as NodeJS.ErrnoException).code === 'string') return undefined
    throw error
  }
}

function limited(bytes: Uint8Array, maximum: number): Uint8Array | Reason {
  return bytes.length > maximum ? tooLarge(maximum) : bytes
}

function tooLarge(maximum: number): Reason {
  return {
    code: 'file-too-large',
    message: `the file has more than ${maximum / 1_048_576} MiB`,
    source: 'local limit',
    remedy: 'give a file of certificates, lists or responses',
  }
}

/** Local limit: ten thousand anchors in PEM are about 15 MB. */
const maxOctets = 67_108_864
const notX509: Reason = {
  code: 'pkcs7-not-x509',
  message: 'the bundle holds another kind of certificate than X.509',
  source: 'RFC 5652 §10.2.2',
  remedy: 'export the bundle with X.509 certificates',
}
const indefinite = 0x80
const besideCertificates: readonly OtherKind[] = [
  'private-key',
  'public-key',
  'certificate-request',
  'certificate-revocation-list',
]
const certificateFiles: FileKind = {
  endings: /\.(?:pem|crt|cer|cert|der|p7b|p7c)$/i,
  empty: 'folder-without-certificates',
  what: 'certificates',
  remedy:
    'certificates are files that end in .pem .crt .cer .cert .der .p7b or .p7c; folders inside are not searched',
}
