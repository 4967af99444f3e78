/** `ocsp request` and `ocsp fetch`: the question about one certificate, as a file or put to its responder. @module */

import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { bytesEqual } from '../../base/bytes.ts'
import { type DigestName, runSync } from '../../effect/effect.ts'
import { buildOcspRequest } from '../../revocation/ocsp-request.ts'
import type { StatusIssuer } from '../../revocation/status.ts'
import { nodeHandlers } from '../../runtime/node.ts'
import type { Certificate } from '../../x509/certificate.ts'
import type { OcspResponse } from '../../x509/ocsp.ts'
import { ask, type Fetched, type FetchFlags } from '../fetching.ts'
import type { Reason } from '../files.ts'
import { type Io, UsageError } from '../io.ts'
import { issuerOf, readCertificate, readIssuers } from '../issuers.ts'
import { drawFetched, fetchedJson, fetchReason } from '../render/fetched.ts'
import { writeJson } from '../render/json.ts'
import { drawOcsp, ocspJson } from '../render/ocsp.ts'
import { drawStatuses, statusJson } from '../render/status.ts'
import { plain, styleOf } from '../render/style.ts'
import { readOcspFile } from '../revocation-files.ts'
import type { StatusView } from '../statuses.ts'
import { judgeResponses } from './ocsp.ts'

export interface OcspRequestFlags {
  readonly out?: string
  readonly nonce?: true
  readonly hash?: string
  readonly json?: true
}

export interface OcspFetchFlags extends OcspRequestFlags, FetchFlags {
  readonly url?: string
}

/** Writes the request: DER into a file, or base64 of it to standard output. */
export async function ocspRequest(
  file: string,
  issuerFile: string,
  flags: OcspRequestFlags,
  io: Io,
): Promise<number> {
  const { der, nonce } = await question(file, issuerFile, flags, io)
  const { out } = flags
  if (out !== undefined) await writeFile(resolve(io.cwd, out), der)
  const request = Buffer.from(der).toString('base64')
  if (flags.json) {
    const hex = nonce === undefined ? null : Buffer.from(nonce).toString('hex')
    writeJson({ command: 'ocsp request', ok: true, out: out ?? null, request, nonce: hex }, io)
  } else if (out === undefined) io.stdout.write(`${request}\n`)
  else {
    const style = styleOf(io.stdout, io)
    const size = `${der.length} octets`
    io.stdout.write(
      `${style.green('written')}  ${style.bold(plain(out))}${style.dim(`  ${size}`)}\n`,
    )
  }
  return 0
}

/** @returns 0 when the response says good; 1 when it does not, or does not count; 2 when there is none. */
export async function ocspFetch(
  file: string,
  issuerFile: string,
  flags: OcspFetchFlags,
  io: Io,
): Promise<number> {
  const asked = await question(file, issuerFile, flags, io)
  const uris = flags.url === undefined ? respondersOf(asked.certificate, file) : [flags.url]
  const fetched: Fetched[] = []
  let got: Got | undefined
  for (const uri of uris.slice(0, maxResponders)) {
    got = await fetchOne(uri, asked, fetched, flags, io)
    if (got !== undefined) break
  }
  const { out } = flags
  if (got !== undefined && out !== undefined)
    await writeFile(resolve(io.cwd, out), got.response.der)
  const code = got === undefined ? 2 : got.judged.status.status === 'good' ? 0 : 1
  if (flags.json) {
    writeJson(
      {
        command: 'ocsp fetch',
        ok: code === 0,
        fetched: fetched.map(fetchedJson),
        out: out ?? null,
        response: got === undefined ? null : ocspJson(got.response),
        judged: got === undefined ? null : statusJson(got.judged),
      },
      io,
    )
    return code
  }
  const style = styleOf(io.stdout, io)
  const lines = drawFetched(fetched, style)
  if (got !== undefined) {
    lines.push(...drawOcsp(got.response, io.now(), style))
    lines.push('', ...drawStatuses([got.judged], io.now(), style, 0))
    if (out !== undefined) lines.push('', `${style.green('written')}  ${style.bold(plain(out))}`)
  }
  io.stdout.write(`${lines.join('\n')}\n`)
  return code
}

interface Question {
  readonly certificate: Certificate
  readonly issuer: StatusIssuer
  readonly der: Uint8Array
  readonly nonce: Uint8Array | undefined
}

interface Got {
  readonly response: OcspResponse
  readonly judged: StatusView
}

async function question(
  file: string,
  issuerFile: string,
  { nonce: wanted, hash }: OcspRequestFlags,
  io: Io,
): Promise<Question> {
  if (file === '-' && issuerFile === '-') {
    throw new UsageError('stdin-twice', 'standard input is named twice', 'name - once')
  }
  const certificate = await readCertificate('certificate', file, io)
  const issuer = issuerOf(certificate, await readIssuers([issuerFile], io, 'issuer'))
  const nonce = wanted ? new Uint8Array(randomBytes(nonceOctets)) : undefined
  const steps = buildOcspRequest(certificate, issuer, {
    hash: hash as DigestName | undefined,
    nonce,
  })
  return { certificate, issuer, der: runSync(steps, handlers), nonce }
}

async function fetchOne(
  uri: string,
  { certificate, issuer, der, nonce }: Question,
  fetched: Fetched[],
  flags: OcspFetchFlags,
  io: Io,
): Promise<Got | undefined> {
  const body = { type: 'application/ocsp-request', bytes: der }
  const answer = await ask(uri, { accept: 'application/ocsp-response', body }, flags, io)
  const { milliseconds } = answer
  const bytes = answer.status === 'new' ? answer.body.length : undefined
  const row = { kind: 'ocsp', uri, milliseconds, bytes } as const
  const failed = (reason: Reason): undefined => {
    fetched.push({ ...row, reason })
  }
  if (answer.status === 'failed') return failed(fetchReason(answer.failure))
  if (answer.status === 'not-modified') return failed(fetchReason({ code: 'status', status: 304 }))
  const read = readOcspFile(answer.body)
  if ('code' in read) return failed(read)
  const [response] = read.items
  const [bad] = read.unreadable
  if (bad !== undefined || response === undefined) return bad && failed(bad.reason)
  const { responseStatus, basic } = response
  if (responseStatus !== 'successful') {
    return failed(fetchReason({ code: 'ocsp-error', responseStatus }))
  }
  // RFC 9654 §2.1: a responder may leave it out; another one is an answer to somebody else.
  const present = basic?.nonce
  if (nonce !== undefined && present !== undefined && !bytesEqual(nonce, present)) {
    return failed(fetchReason({ code: 'ocsp-nonce', present: true }))
  }
  fetched.push({ ...row, reason: undefined })
  const judged = judgeResponses([response], certificate, issuer, io.now())
  return { response, judged: { ...judged, fetched: true } }
}

function respondersOf({ tbsCertificate }: Certificate, file: string): readonly string[] {
  const { descriptions } = tbsCertificate.extensions.authorityInfoAccess ?? { descriptions: [] }
  const uris = descriptions.flatMap(({ accessMethod, accessLocation }) =>
    accessMethod === ocspMethod && accessLocation.kind === 'uniformResourceIdentifier'
      ? [accessLocation.value]
      : [],
  )
  if (uris.length > 0) return uris
  throw new UsageError(
    'nothing-to-fetch',
    `${file}: the certificate names no OCSP responder`,
    'name one with --url http://…',
  )
}

const handlers = /* @__PURE__ */ nodeHandlers()
/** id-ad-ocsp */
const ocspMethod = '1.3.6.1.5.5.7.48.1'
/** RFC 9654 §2.1: at least 32. */
const nonceOctets = 32
/** Local limit on what one certificate makes us ask, as the source has it. */
const maxResponders = 2
