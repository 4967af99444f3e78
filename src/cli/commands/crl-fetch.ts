/** `crl fetch`: gets lists from a URI, or from the distribution points of a certificate. @module */

import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { writePem } from '../../base/pem.ts'
import type { Certificate } from '../../x509/certificate.ts'
import type { CertificateList } from '../../x509/crl.ts'
import { pointUris } from '../crl-facts.ts'
import { ask, type Fetched, type FetchFlags } from '../fetching.ts'
import { type Io, invocation, UsageError } from '../io.ts'
import { readCertificate, readIssuers } from '../issuers.ts'
import { crlJson, drawCrl } from '../render/crl.ts'
import { drawFetched, fetchedJson, fetchReason } from '../render/fetched.ts'
import { writeJson } from '../render/json.ts'
import { plain, styleOf } from '../render/style.ts'
import { readCrlFile } from '../revocation-files.ts'
import { isUrl } from '../revocation-settings.ts'
import { describeCrl } from './crl.ts'

export interface CrlFetchFlags extends FetchFlags {
  readonly out?: string
  readonly issuer: readonly string[]
  readonly json?: true
}

/** @returns 0; 1 when no issuer that was named signed a list; 2 when there is a place from which no list came. */
export async function crlFetch(what: string, flags: CrlFetchFlags, io: Io): Promise<number> {
  const issuers = await readIssuers(flags.issuer, io)
  const points =
    isUrl(what) || /^[a-z][a-z0-9+.-]*:\/\//i.test(what) ? [[what]] : await pointsOf(what, io)
  const lists: CertificateList[] = []
  const fetched: Fetched[] = []
  let missing = 0
  for (const uris of points) {
    const list = await fetchFirst(uris, fetched, flags, io)
    if (list === undefined) missing++
    else lists.push(list)
  }
  if (flags.out !== undefined && lists.length > 0) await writeLists(flags.out, lists, io)
  const shown = lists.map((list) => describeCrl(list, issuers, { issuer: flags.issuer }))
  const isSigned = shown.every(({ signature }) => signature?.verified !== false)
  const code = missing > 0 ? 2 : isSigned ? 0 : 1
  if (flags.json) {
    const rows = fetched.map(fetchedJson)
    const out = flags.out ?? null
    writeJson(
      { command: 'crl fetch', ok: code === 0, fetched: rows, out, lists: shown.map(crlJson) },
      io,
    )
    return code
  }
  const style = styleOf(io.stdout, io)
  const lines = drawFetched(fetched, style)
  for (const one of shown) lines.push('', ...drawCrl(one, io.now(), style))
  if (flags.out !== undefined && lists.length > 0) {
    lines.push('', `${style.green('written')}  ${style.bold(plain(flags.out))}`)
  } else if (flags.out === undefined && lists.length > 0) {
    lines.push('', style.dim(`to keep it: ${invocation(io)} crl fetch … --out FILE`))
  }
  io.stdout.write(`${lines.join('\n')}\n`)
  return code
}

/** The URIs of each distribution point; those of one lead to the same list. RFC 5280 §4.2.1.13 */
async function pointsOf(file: string, io: Io): Promise<readonly (readonly string[])[]> {
  const { extensions }: Certificate['tbsCertificate'] = (
    await readCertificate('crl fetch', file, io)
  ).tbsCertificate
  const { cRLDistributionPoints, freshestCRL } = extensions
  const all = [...(cRLDistributionPoints?.points ?? []), ...(freshestCRL?.points ?? [])]
  const points = all.map((point) => pointUris([point])).filter((uris) => uris.length > 0)
  if (points.length > 0) return points
  throw new UsageError(
    'nothing-to-fetch',
    `${file}: the certificate names no place where its CRL is to be found`,
    'ask its CA for the URI, and fetch that: mtls-policy crl fetch http://…',
  )
}

/** The next URI is asked only when those before it fail. */
async function fetchFirst(
  uris: readonly string[],
  fetched: Fetched[],
  flags: CrlFetchFlags,
  io: Io,
): Promise<CertificateList | undefined> {
  for (const uri of uris.slice(0, maxUris)) {
    const answer = await ask(uri, { accept: 'application/pkix-crl' }, flags, io)
    const { milliseconds } = answer
    const row = { kind: 'crl', uri, milliseconds } as const
    if (answer.status !== 'new') {
      const failure = answer.status === 'failed' ? answer.failure : notModified
      fetched.push({ ...row, reason: fetchReason(failure), bytes: undefined })
      continue
    }
    const read = readCrlFile(answer.body)
    const bytes = answer.body.length
    const reason = 'code' in read ? read : read.unreadable[0]?.reason
    const [list, ...others] = 'code' in read ? [] : read.items
    if (reason === undefined && list !== undefined && others.length === 0) {
      fetched.push({ ...row, reason: undefined, bytes })
      return list
    }
    fetched.push({ ...row, reason: reason ?? fetchReason({ code: 'not-a-list' }), bytes })
  }
  return undefined
}

/** One list in DER; as PEM where the name says so, or where there are several. */
async function writeLists(file: string, lists: readonly CertificateList[], io: Io): Promise<void> {
  const [first] = lists
  const isPem = /\.pem$/i.test(file) || lists.length > 1
  const content = isPem ? lists.map(({ der }) => writePem('X509 CRL', der)).join('') : first?.der
  if (content !== undefined) await writeFile(resolve(io.cwd, file), content)
}

/** Nothing was asked on condition. */
const notModified = { code: 'status', status: 304 } as const
/** Local limit on what one distribution point makes us ask, as the source has it. */
const maxUris = 4
