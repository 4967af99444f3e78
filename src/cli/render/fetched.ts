/** What was fetched and what was not, in words and as JSON. @module */

import { formatTime } from '../../base/time.ts'
import type { SourceFailure } from '../../runtime/revocation/failure.ts'
import type { Fetched } from '../fetching.ts'
import type { Reason } from '../files.ts'
import type { RevocationSettings } from '../revocation-settings.ts'
import { reasonJson } from './json.ts'
import { accepted, plain, refused, type Style, wrap } from './style.ts'

/** A line for each URI, and why nothing came from it; what happened again is said once. */
export function drawFetched(fetched: readonly Fetched[], style: Style): string[] {
  const rows = new Map(fetched.map((row) => [`${row.kind} ${row.uri} ${row.reason?.code}`, row]))
  return [...rows.values()].flatMap(({ kind, uri, reason, bytes, milliseconds }) => {
    const what = kind === 'crl' ? 'CRL' : 'OCSP response'
    if (reason === undefined) {
      const size =
        bytes === undefined ? '' : `, ${count(bytes)} octets in ${Math.round(milliseconds ?? 0)} ms`
      return [`${style.green(accepted)} fetched  ${plain(uri)}${style.dim(`  ${what}${size}`)}`]
    }
    return [
      `${style.red(refused)} not fetched  ${plain(uri)}  ${style.red(reason.code)}`,
      `  ${wrap(plain(reason.message), style.width, 2)}`,
      `  ${style.cyan('→')} ${wrap(plain(reason.remedy), style.width, 4)}`,
    ]
  })
}

/** As `drawFetched`, below verdicts. */
export function drawFetchedOf({ fetches, fetched }: Fetching, style: Style): string[] {
  if (!fetches) return []
  const rows = drawFetched(fetched(), style)
  return rows.length > 0
    ? rows
    : [style.dim('nothing was fetched: no certificate of a valid path names a place that is asked')]
}

export function fetchedJson({ kind, uri, reason, bytes, milliseconds }: Fetched): object {
  return {
    kind,
    uri,
    ok: reason === undefined,
    ...(reason === undefined ? { code: null } : reasonJson(reason)),
    bytes: bytes ?? null,
    milliseconds: milliseconds === undefined ? null : Math.round(milliseconds),
  }
}

/** `1,234,567`, the same on every machine. */
export function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** Why something was not had, and what to do. */
export function fetchReason(failure: SourceFailure): Reason {
  const [message, remedy, source = 'local rule'] = wordsOf(failure)
  return { code: failure.code, message, remedy, source }
}

type Fetching = Pick<RevocationSettings, 'fetches' | 'fetched'>
type Words = readonly [message: string, remedy: string, source?: string]

function wordsOf(failure: SourceFailure): Words {
  switch (failure.code) {
    case 'uri-invalid':
      return ['this is no URI', 'write http://host/path']
    case 'uri-scheme':
      return [
        `only http and https are fetched, not ${failure.scheme}`,
        'get it by other means, and name the file',
      ]
    case 'uri-credentials':
      return [
        'the URI has a user or a password in it',
        'leave them out, or get the file by other means',
      ]
    case 'uri-port':
      return [`port ${failure.port} belongs to another protocol`, 'use another port']
    case 'address-refused': {
      const { host, addresses } = failure
      const found = addresses.length === 0 ? '' : ` (${addresses.join(', ')})`
      return [
        `${host}${found} is no public address, and whoever writes a certificate could point you at your own network`,
        'in a network of your own, allow it with --allow-private-addresses; link-local addresses are never asked',
      ]
    }
    case 'network':
      return [
        `the server cannot be reached (${failure.error})`,
        'check the name and the network; no proxy is used, so get it by other means where one is needed',
      ]
    case 'timeout':
      return [
        `no whole answer within ${failure.milliseconds / 1000} s`,
        'try again, or wait longer with --timeout SECONDS',
      ]
    case 'status':
      return [
        `the server answered with status ${failure.status}`,
        'check the URI, or try again later',
        'RFC 9110 §15',
      ]
    case 'redirect-refused':
      return [
        `the server sends us on to ${failure.location}, which is another host, another port, no http, or one redirect too many`,
        'if you trust that place, fetch it from there yourself',
      ]
    case 'too-large':
      return [
        `the answer has more than ${count(failure.maxBytes)} octets`,
        'get it by other means, and name the file',
      ]
    case 'encoding':
      return [
        `the answer is encoded as ${failure.encoding}`,
        'have the server answer plainly or with gzip',
      ]
    case 'truncated':
      return ['the answer ended before its end', 'try again']
    case 'closed':
      return ['the run ended before the answer', 'try again']
    case 'unreadable':
      return [
        `what came can not be read: expected ${failure.failure.expected} at octet ${failure.failure.offset} (${failure.failure.code})`,
        'look at what the URI serves: it may be a web page',
      ]
    case 'not-a-list':
      return [
        'what came is neither one list in DER nor one in PEM',
        'look at what the URI serves: it may be a web page',
      ]
    case 'not-yet-valid':
      return [`it is of the future, ${formatTime(failure.thisUpdate)}`, 'check the clock']
    case 'older':
      return [
        `it is of ${formatTime(failure.thisUpdate)}, older than what is held from there, of ${formatTime(failure.held)}`,
        'try again: servers behind one name may not all have the newest',
      ]
    case 'signature-invalid':
      return [
        'none of the keys that its issuer is known by has signed it',
        'try again; if that stays so, ask its CA',
      ]
    case 'signer-unknown':
      return [
        'nobody is known who could have signed it, and what is held was verified',
        'try again; if that stays so, ask its CA',
      ]
    case 'issuers':
      return [
        `lists of more than ${failure.maximum} issuers and scopes came from there`,
        'ask its CA',
      ]
    case 'ocsp-error':
      return [
        `the responder answered ${failure.responseStatus}`,
        'try again later; a responder that answers unauthorized is not for this CA',
        'RFC 6960 §2.3',
      ]
    case 'ocsp-other-certificate':
      return [
        'the response is not about the certificate that was asked for',
        'check that the issuer is the one of the certificate',
        'RFC 6960 §3.2',
      ]
    case 'ocsp-type-unknown':
      return [
        'the response is of a type that is not known here',
        'ask another responder',
        'RFC 6960 §4.2.1',
      ]
    case 'ocsp-nonce':
      return [
        failure.present ? 'the nonce in the response is another one' : 'the response has no nonce',
        failure.present ? 'try again: it was an answer to somebody else' : 'ask without --nonce',
        'RFC 9654 §2.1',
      ]
    case 'file':
      return [`the file cannot be read (${failure.error})`, 'check the name and its permissions']
    case 'file-kind':
      return ['this is neither a file nor a folder', 'name a file']
    case 'too-many-files':
      return [`there are more than ${failure.maximum} files`, 'name a smaller folder']
  }
}
