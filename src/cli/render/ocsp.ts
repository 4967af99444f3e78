/** One OCSP response as labelled lines and as JSON. @module */

import { toHex } from '../../base/hex.ts'
import { formatTime } from '../../base/time.ts'
import { formatName } from '../../x509/name-text.ts'
import type { BasicOcspResponse, OcspResponse, SingleResponse } from '../../x509/ocsp.ts'
import { parseResponderCertificate } from '../../x509/parse-responder.ts'
import { signatureText } from '../crl-words.ts'
import { drawRows, type Row } from './rows.ts'
import { dateOf, timeJson } from './status.ts'
import type { Style } from './style.ts'
import { distanceText } from './words.ts'

export function ocspJson({ responseStatus, basic }: OcspResponse): object {
  if (basic === undefined) return { responseStatus, basic: null }
  return {
    responseStatus,
    basic: {
      responder: responderText(basic),
      producedAt: formatTime(basic.producedAt),
      nonce: basic.nonce === undefined ? null : toHex(basic.nonce),
      signatureAlgorithm: signatureText(basic.signatureAlgorithm),
      certificates: basic.certs.map(subjectText),
      extensions: basic.responseExtensions.map(({ oid, critical }) => ({ oid, critical })),
      responses: basic.responses.map(singleJson),
    },
  }
}

function singleJson({ certID, certStatus, ...single }: SingleResponse): object {
  const isRevoked = certStatus.status === 'revoked'
  return {
    serialNumber: toHex(certID.serialNumber),
    hashAlgorithm: hashText(certID.hashAlgorithm.algorithm),
    issuerNameHash: toHex(certID.issuerNameHash),
    issuerKeyHash: toHex(certID.issuerKeyHash),
    status: certStatus.status,
    ...(isRevoked
      ? {
          revocationDate: formatTime(certStatus.revocationTime),
          reason: certStatus.reason ?? null,
          invalidityDate: timeJson(single.invalidityDate),
        }
      : {}),
    thisUpdate: formatTime(single.thisUpdate),
    nextUpdate: timeJson(single.nextUpdate),
    extensions: single.singleExtensions.map(({ oid, critical }) => ({ oid, critical })),
  }
}

export function drawOcsp(
  { responseStatus, basic }: OcspResponse,
  now: Date,
  style: Style,
): string[] {
  if (basic === undefined) {
    const text = responseStatus === 'successful' ? 'successful, of an unknown type' : responseStatus
    return drawRows([['status', text, style.red('  no answer')]], style)
  }
  const rows: readonly Row[] = [
    ['status', responseStatus],
    ['responder', responderText(basic)],
    ['produced', timeText(basic.producedAt, now)],
    ['nonce', basic.nonce === undefined ? undefined : toHex(basic.nonce)],
    ['certificates', basic.certs.map(subjectText)],
    ['signature', signatureText(basic.signatureAlgorithm)],
    ...basic.responses.flatMap((single) => singleRows(single, now, style)),
  ]
  return drawRows(rows, style)
}

function singleRows(single: SingleResponse, now: Date, style: Style): readonly Row[] {
  const { certID, certStatus, thisUpdate, nextUpdate, invalidityDate } = single
  const isOver = nextUpdate !== undefined && now.getTime() >= (nextUpdate + 1) * 1000
  return [
    ['serial', toHex(certID.serialNumber), `  ${statusText(single, style)}`],
    [
      'revoked',
      certStatus.status === 'revoked'
        ? `${timeText(certStatus.revocationTime, now)}${certStatus.reason === undefined ? '' : `, ${certStatus.reason}`}`
        : undefined,
    ],
    ['invalid since', invalidityDate === undefined ? undefined : timeText(invalidityDate, now)],
    ['this update', timeText(thisUpdate, now)],
    [
      'next update',
      nextUpdate === undefined
        ? 'not said: it counts with max-age only'
        : timeText(nextUpdate, now),
      isOver ? style.red('  expired') : undefined,
    ],
    [
      'issuer hashes',
      `${hashText(certID.hashAlgorithm.algorithm)} ${toHex(certID.issuerNameHash)} (name), ${toHex(certID.issuerKeyHash)} (key)`,
    ],
  ]
}

function statusText({ certStatus: { status } }: SingleResponse, style: Style): string {
  return status === 'good' ? style.green(status) : style.red(status)
}

function responderText({ responderID }: BasicOcspResponse): string {
  return responderID.kind === 'byName'
    ? formatName(responderID.name)
    : `key with SHA-1 ${toHex(responderID.keyHash)}`
}

function subjectText(der: Uint8Array): string {
  const parsed = parseResponderCertificate(der)
  return parsed.ok ? formatName(parsed.value.tbsCertificate.subject) : 'unreadable'
}

function hashText(oid: string): string {
  return hashes[oid] ?? oid
}

function timeText(seconds: number, now: Date): string {
  return `${formatTime(seconds)}  (${distanceText(dateOf(seconds), now)})`
}

const hashes: Readonly<Record<string, string>> = {
  '1.3.14.3.2.26': 'SHA-1',
  '2.16.840.1.101.3.4.2.1': 'SHA-256',
  '2.16.840.1.101.3.4.2.2': 'SHA-384',
  '2.16.840.1.101.3.4.2.3': 'SHA-512',
}
