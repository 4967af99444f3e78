/** `ocsp show`: what a response says, and whether it counts for a certificate. @module */

import { runSync, type Steps } from '../../effect/effect.ts'
import { defaultAlgorithmPolicy } from '../../path/algorithms.ts'
import type { Finding, StatusContext } from '../../revocation/context.ts'
import { ocspStatus } from '../../revocation/ocsp-status.ts'
import { OcspResponses } from '../../revocation/responses.ts'
import type { StatusIssuer } from '../../revocation/status.ts'
import { nodeHandlers } from '../../runtime/node.ts'
import type { Certificate } from '../../x509/certificate.ts'
import type { OcspResponse } from '../../x509/ocsp.ts'
import { type Reason, readInput } from '../files.ts'
import { type Io, UsageError } from '../io.ts'
import { issuerOf, readCertificate, readIssuers } from '../issuers.ts'
import { reasonJson, writeJson } from '../render/json.ts'
import { drawOcsp, ocspJson } from '../render/ocsp.ts'
import { drawStatuses, statusJson } from '../render/status.ts'
import { plain, refused, type Style, styleOf } from '../render/style.ts'
import { drawReason } from '../render/verdict.ts'
import { type Read, readOcspFile } from '../revocation-files.ts'
import type { StatusView } from '../statuses.ts'

export interface OcspShowFlags {
  readonly issuer: readonly string[]
  readonly certificate?: string
  /** Seconds. */
  readonly maxAge?: number
  readonly time?: Date
  readonly json?: true
}

/** @returns 0; 1 when the certificate that was named is not known to be good; 2 when something cannot be read. */
export async function ocspShow(file: string, flags: OcspShowFlags, io: Io): Promise<number> {
  const asked = await readAsked(flags, io)
  const bytes = await readInput(file, io)
  const read = bytes instanceof Uint8Array ? readOcspFile(bytes) : bytes
  const time = flags.time ?? io.now()
  const judged =
    asked === undefined || 'code' in read
      ? undefined
      : judgeResponses(read.items, asked.certificate, asked.issuer, time, flags.maxAge)
  const isRead = !('code' in read) && read.unreadable.length === 0
  const code = !isRead ? 2 : judged === undefined || judged.status.status === 'good' ? 0 : 1
  if (flags.json) {
    const result = { file, ...resultJson(read, judged) }
    writeJson({ command: 'ocsp show', ok: code === 0, results: [result] }, io)
  } else {
    const style = styleOf(io.stdout, io)
    io.stdout.write(`${draw(file, read, judged, time, style).join('\n')}\n`)
  }
  return code
}

/**
 * The status by these responses alone, under the strict rule. Whether a delegate of the responder is itself revoked is not asked.
 *
 * @param maxAge - Seconds.
 */
export function judgeResponses(
  responses: readonly OcspResponse[],
  certificate: Certificate,
  issuer: StatusIssuer,
  time: Date,
  maxAge?: number,
): StatusView {
  const context: StatusContext = {
    time: Math.floor(time.getTime() / 1000),
    clockTolerance: 0,
    maxAge,
    staleFor: 0,
    algorithms: defaultAlgorithmPolicy,
    profile: 'interoperable',
    budget: { signatures: maxSignatures },
  }
  const steps = ocspStatus(certificate, issuer, new OcspResponses(responses), context, notAsked)
  return { status: statusOf(runSync(steps, handlers)), certificate, fetched: false }
}

async function readAsked(
  { issuer, certificate }: OcspShowFlags,
  io: Io,
): Promise<{ readonly certificate: Certificate; readonly issuer: StatusIssuer } | undefined> {
  if (certificate === undefined && issuer.length === 0) return undefined
  if (certificate === undefined || issuer.length === 0) {
    const [there, lacks] =
      certificate === undefined ? ['--issuer', '--certificate'] : ['--certificate', '--issuer']
    throw new UsageError(
      'usage-missing-option',
      `${there} needs ${lacks} beside it: a response is judged for one certificate of one issuer`,
      `add ${lacks} FILE, or leave ${there} out to see what the response says`,
    )
  }
  const read = await readCertificate('--certificate', certificate, io)
  return { certificate: read, issuer: issuerOf(read, await readIssuers(issuer, io)) }
}

function statusOf(finding: Finding): StatusView['status'] {
  switch (finding.status) {
    case 'good':
      return { status: 'good', index: 0, evidence: finding.evidence, stale: finding.stale }
    case 'revoked':
      return { ...finding, index: 0 }
    case 'unknown':
      return { status: 'unknown', index: 0, problems: finding.problems }
  }
}

function resultJson(read: Read<OcspResponse> | Reason, judged: StatusView | undefined): object {
  if ('code' in read) return { ok: false, ...reasonJson(read), responses: [], unreadable: [] }
  const { items, unreadable } = read
  return {
    ok: unreadable.length === 0,
    code: unreadable[0]?.reason.code ?? null,
    responses: items.map(ocspJson),
    unreadable: unreadable.map(({ index, reason }) => ({ index, ...reasonJson(reason) })),
    ...(judged === undefined ? {} : { judged: statusJson(judged) }),
  }
}

function draw(
  file: string,
  read: Read<OcspResponse> | Reason,
  judged: StatusView | undefined,
  now: Date,
  style: Style,
): string[] {
  const name = style.bold(plain(file))
  if ('code' in read) {
    const head = `${style.red(`${refused} unreadable`)}  ${name}  ${style.red(read.code)}`
    return [head, ...drawReason(read, style)]
  }
  const { items, unreadable } = read
  const lines = items.flatMap((response, at) => {
    const place = items.length === 1 ? '' : style.dim(`  ${at + 1} of ${items.length}`)
    return [...(at === 0 ? [] : ['']), `${name}${place}`, ...drawOcsp(response, now, style)]
  })
  for (const { index, reason } of unreadable) {
    lines.push(`${style.red(refused)} ${name}: part ${index + 1} cannot be read: ${reason.code}`)
    lines.push(...drawReason(reason, style))
  }
  if (judged !== undefined) lines.push('', ...drawStatuses([judged], now, style, 0))
  return lines
}

// biome-ignore lint/correctness/useYield: a step that asks nothing
function* notAsked(): Steps<boolean> {
  return false
}

const handlers = /* @__PURE__ */ nodeHandlers()
/** As in path building: what one response may cost. */
const maxSignatures = 100
