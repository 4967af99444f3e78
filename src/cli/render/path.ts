/** Paths drawn on a line, the client first, with a mark where a rule was broken. @module */

import { bytesEqual } from '../../base/bytes.ts'
import type { Failure } from '../../client/failure.ts'
import { generalNameText } from '../../client/identity.ts'
import type { RefusedPath, Verdict } from '../../client/verdict.ts'
import type { TrustAnchor } from '../../path/trust-anchor.ts'
import type { Certificate } from '../../x509/certificate.ts'
import type { Name } from '../../x509/name.ts'
import { formatName } from '../../x509/name-text.ts'
import { cut, joinParts, plain, refused, type Style } from './style.ts'

/** The path of a verdict: the accepted one, or the one that its failure is about. */
/** @param indent - Characters before the line, and before those that follow it. */
export function drawVerdict(verdict: Verdict, style: Style, indent: number): string {
  if (verdict.ok) {
    return verdict.verified
      ? drawPath(verdict.path, verdict.anchor, undefined, style, indent)
      : `${nameOf(verdict.presented)}${style.dim('  ← ')}${stated(verdict.presented, style)}`
  }
  const attempt = verdict.attempts.find(({ failure }) => failure === verdict.failure)
  if (attempt !== undefined) return drawAttempt(attempt, style, indent)
  const { presented } = verdict
  if (presented === undefined) return ''
  return drawPath([presented], undefined, verdict.failure, style, indent)
}

export function drawAttempt(
  { certificates, anchor, failure }: RefusedPath,
  style: Style,
  indent: number,
): string {
  return drawPath(certificates, anchor, failure, style, indent)
}

function drawPath(
  certificates: readonly Certificate[],
  anchor: TrustAnchor | undefined,
  failure: Failure | undefined,
  style: Style,
  indent: number,
): string {
  const index = failure === undefined ? undefined : positionOf(failure)
  const parts = certificates.map((certificate, at) =>
    marked(nameOf(certificate), at === index, style),
  )
  const last = certificates.at(-1)
  if (anchor !== undefined) {
    const { certificate } = anchor
    const pinned = last !== undefined && certificate && bytesEqual(certificate.der, last.der)
    const name = `${shortName(anchor.name)}${style.dim(' (trust anchor)')}`
    if (pinned) parts[parts.length - 1] += style.dim(' (itself a trust anchor)')
    else parts.push(marked(name, index === certificates.length, style))
  } else if (last !== undefined && failure !== undefined) {
    if (failure.code === 'issuer-unknown') {
      parts.push(style.red(`? ${shortName(failure.issuer)} (not given)`))
    } else if (failure.code === 'root-not-trusted') {
      parts[parts.length - 1] += style.red(' (not trusted)')
    } else parts.push(stated(last, style))
  }
  return joinParts(parts, style.dim('  ← '), style.width, indent)
}

/** Position in the path of what broke the rule; the direct issuer when an ACL refuses it. */
export function positionOf(failure: Failure): number | undefined {
  if ('index' in failure) return failure.index
  switch (failure.code) {
    case 'issuer-denied':
    case 'issuer-not-allowed':
    case 'issuer-deny-unchecked':
      return 1
    case 'client-denied':
    case 'client-not-allowed':
      return 0
    default:
      return undefined
  }
}

function marked(name: string, broken: boolean, style: Style): string {
  return broken ? `${style.red(name)} ${style.red(refused)}` : name
}

function stated({ tbsCertificate }: Certificate, style: Style): string {
  return style.dim(`${shortName(tbsCertificate.issuer)} (as it claims; not looked at)`)
}

/** What people call it: common name, else the whole subject, else the first alternative name. */
export function nameOf({ tbsCertificate }: Certificate): string {
  const { subject, extensions } = tbsCertificate
  if (subject.rdns.length > 0) return shortName(subject)
  const [first] = extensions.subjectAltName?.names ?? []
  return first === undefined ? '(no name)' : cut(plain(generalNameText(first)), longest)
}

/** The common name, else all of it. */
export function shortName(name: Name): string {
  const common = name.rdns.findLast((rdn) => rdn.some(({ type }) => type === commonName))
  const attribute = common?.find(({ type }) => type === commonName)
  if (attribute === undefined) return cut(plain(formatName(name)) || '(no name)', longest)
  const text = formatName({ der: name.der, rdns: [[attribute]] })
  return cut(plain(text.slice(text.indexOf('=') + 1)), longest)
}

const commonName = '2.5.4.3'
/** Characters: three names and the arrows between them should fit on two lines. */
const longest = 48
