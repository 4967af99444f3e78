/** `crl show`: what is in these lists, and whether a serial number is. Nothing is judged but a signature, where an issuer is named. @module */

import { createHash } from 'node:crypto'
import type { Certificate } from '../../x509/certificate.ts'
import type { CertificateList } from '../../x509/crl.ts'
import { crlFacts, entryFacts, serialNumbersOf } from '../crl-facts.ts'
import { listInputs, type Reason, readInput } from '../files.ts'
import { type Io, UsageError } from '../io.ts'
import { judgeCrlSignature, readIssuers } from '../issuers.ts'
import { crlJson, drawCrl, type ShownCrl } from '../render/crl.ts'
import { reasonJson, writeJson } from '../render/json.ts'
import { plain, refused, type Style, styleOf } from '../render/style.ts'
import { drawReason } from '../render/verdict.ts'
import {
  crlFiles,
  liesBesideCrls,
  maxCrlOctets,
  type Read,
  readCrlFile,
} from '../revocation-files.ts'

export interface CrlShowFlags {
  readonly serial?: readonly Uint8Array[]
  readonly entries?: number
  readonly issuer: readonly string[]
  readonly time?: Date
  readonly json?: true
}

/** @returns 0; 1 when the serial number is listed, or no issuer that was named signed a list; 2 when something cannot be read. */
export async function crlShow(
  files: readonly string[],
  flags: CrlShowFlags,
  io: Io,
): Promise<number> {
  const issuers = await readIssuers(flags.issuer, io)
  const shown: Shown[] = []
  for (const input of await listInputs(files, io, crlFiles)) {
    const { file } = input
    const bytes = await readInput(file, io, maxCrlOctets)
    const read = bytes instanceof Uint8Array ? readCrlFile(bytes) : bytes
    if ('code' in read && liesBesideCrls(input, read)) continue
    shown.push({ file, read: 'code' in read ? read : described(read, issuers, flags) })
  }
  const code = exitCodeOf(shown)
  if (flags.json) writeJson({ command: 'crl show', ok: code === 0, results: shown.map(json) }, io)
  else {
    const style = styleOf(io.stdout, io)
    const now = flags.time ?? io.now()
    const blocks = shown.flatMap((one) => draw(one, now, style))
    if (shown.length === 0) blocks.push(`no CRL in ${plain(files.join(', '))}`)
    io.stdout.write(`${blocks.join('\n\n')}\n`)
  }
  return code
}

/** @throws UsageError */
export function parseSerialNumber(text: string): readonly Uint8Array[] {
  const serials = serialNumbersOf(text)
  if (serials !== undefined) return serials
  throw new UsageError(
    'usage-invalid-value',
    `--serial ${text}: not a hexadecimal number`,
    'write it as mtls-policy show or openssl x509 -serial prints it: 0a3f… or 0a:3f:…',
  )
}

/** A list with all that was asked about it. */
export function describeCrl(
  list: CertificateList,
  issuers: readonly Certificate[],
  { serial, entries = defaultEntries, issuer }: Pick<CrlShowFlags, 'serial' | 'entries' | 'issuer'>,
): ShownCrl {
  const { revokedCertificates } = list.tbsCertList
  return {
    facts: crlFacts(list, entries),
    sha256: createHash('sha256').update(list.der).digest('hex'),
    found: serial?.flatMap((one) => revokedCertificates.find(one)).map(entryFacts),
    signature: issuer.length === 0 ? undefined : judgeCrlSignature(list, issuers),
  }
}

interface Shown {
  readonly file: string
  readonly read: Read<ShownCrl> | Reason
}

function described(
  { items, unreadable }: Read<CertificateList>,
  issuers: readonly Certificate[],
  flags: CrlShowFlags,
): Read<ShownCrl> {
  return { items: items.map((list) => describeCrl(list, issuers, flags)), unreadable }
}

function exitCodeOf(shown: readonly Shown[]): 0 | 1 | 2 {
  const isComplete = ({ read }: Shown) => !('code' in read) && read.unreadable.length === 0
  if (shown.length === 0 || !shown.every(isComplete)) return 2
  const isClear = ({ found, signature }: ShownCrl) =>
    (found === undefined || found.length === 0) && signature?.verified !== false
  return shown.every(({ read }) => 'code' in read || read.items.every(isClear)) ? 0 : 1
}

function json({ file, read }: Shown): object {
  if ('code' in read) return { file, ok: false, ...reasonJson(read), lists: [], unreadable: [] }
  const { items, unreadable } = read
  return {
    file,
    ok: unreadable.length === 0,
    code: unreadable[0]?.reason.code ?? null,
    lists: items.map(crlJson),
    unreadable: unreadable.map(({ index, reason }) => ({ index, ...reasonJson(reason) })),
  }
}

function draw({ file, read }: Shown, now: Date, style: Style): string[] {
  const name = style.bold(plain(file))
  if ('code' in read) {
    const head = `${style.red(`${refused} unreadable`)}  ${name}  ${style.red(read.code)}`
    return [[head, ...drawReason(read, style)].join('\n')]
  }
  const { items, unreadable } = read
  const blocks = items.map((one, at) => {
    const place = items.length === 1 ? '' : style.dim(`  ${at + 1} of ${items.length}`)
    return [`${name}${place}`, ...drawCrl(one, now, style)].join('\n')
  })
  for (const { index, reason } of unreadable) {
    const head = `${style.red(refused)} ${name}: part ${index + 1} cannot be read: ${reason.code}`
    blocks.push([head, ...drawReason(reason, style)].join('\n'))
  }
  return blocks
}

const defaultEntries = 5
