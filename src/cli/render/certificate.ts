/** One certificate as labelled lines. @module */

import type { CertificateDescription } from '../../client/describe.ts'
import { plain, type Style, wrap } from './style.ts'
import { dateText, distanceText, keyText } from './words.ts'

export function drawCertificate(
  description: CertificateDescription,
  now: Date,
  style: Style,
): string[] {
  const d = description
  const { basicConstraints, nameConstraints, policyConstraints } = d
  const rows: (readonly [label: string, value: string | readonly string[] | undefined])[] = [
    ['subject', d.subject || '(empty)'],
    ['issuer', d.issuer || '(empty)'],
    ['serial', d.serialNumber],
    ['not before', `${dateText(d.notBefore)}  (${distanceText(d.notBefore, now)})`],
    ['not after', `${dateText(d.notAfter)}  (${distanceText(d.notAfter, now)})`],
    ['key', keyText(d.key)],
    ['signature', d.signatureAlgorithm],
    ['alternative names', d.subjectAltNames],
    ['key usage', d.keyUsage?.join(', ')],
    ['extended key usage', d.extendedKeyUsage?.join(', ')],
    [
      'basic constraints',
      basicConstraints &&
        `${basicConstraints.cA ? 'CA' : 'not a CA'}${
          basicConstraints.pathLenConstraint === undefined
            ? ''
            : `, at most ${basicConstraints.pathLenConstraint} CAs below`
        }`,
    ],
    ['permitted names', nameConstraints?.permitted],
    ['excluded names', nameConstraints?.excluded],
    ['policies', d.certificatePolicies],
    ['policy mappings', d.policyMappings],
    [
      'policy constraints',
      policyConstraints &&
        Object.entries(policyConstraints)
          .map(([name, value]) => `${name} ${value}`)
          .join(', '),
    ],
    [
      'inhibit any policy',
      d.inhibitAnyPolicy === undefined ? undefined : `after ${d.inhibitAnyPolicy} CAs`,
    ],
    ['subject key id', d.subjectKeyIdentifier],
    ['authority key id', d.authorityKeyIdentifier],
    ['CRL', d.crlUris],
    ['OCSP', d.ocspUris],
    ['issuer at', d.caIssuersUris],
    ['revocation', d.noRevAvail ? 'none by design (noRevAvail)' : undefined],
    ['other extensions', otherExtensions(d)],
    ['SHA-256', d.sha256],
    ['SHA-1', d.sha1],
    ['SPKI SHA-256', d.spkiSha256],
    ['SPKI pin', `sha256//${d.spkiPin}`],
    ['x5t#S256', d['x5t#S256']],
  ]
  const state = stateOf(d, now, style)
  return rows.flatMap(([label, value]) => {
    const values = (typeof value === 'string' ? [value] : value) ?? []
    return values.map((text, at) => {
      const shown = wrap(plain(text), style.width, indent)
      const mark = label === 'not after' || label === 'not before' ? (state[label] ?? '') : ''
      return `  ${style.dim((at === 0 ? label : '').padEnd(indent - 4))}  ${shown}${mark}`
    })
  })
}

function stateOf(
  { notBefore, notAfter }: CertificateDescription,
  now: Date,
  style: Style,
): { readonly 'not before'?: string; readonly 'not after'?: string } {
  if (now < notBefore) return { 'not before': style.red('  not yet valid') }
  const left = notAfter.getTime() - now.getTime()
  // The last second counts to its end.
  if (left <= -1000) return { 'not after': style.red('  expired') }
  return left < soon ? { 'not after': style.yellow('  soon') } : {}
}

function otherExtensions({ extensions }: CertificateDescription): readonly string[] {
  return extensions
    .filter(({ name }) => name === undefined || !shown.has(name))
    .map(({ oid, name, critical }) => `${name ?? oid}${critical ? ' (critical)' : ''}`)
}

/** Extensions that have their own line. */
const shown: ReadonlySet<string> = new Set([
  'subjectKeyIdentifier',
  'keyUsage',
  'subjectAltName',
  'basicConstraints',
  'nameConstraints',
  'cRLDistributionPoints',
  'certificatePolicies',
  'policyMappings',
  'authorityKeyIdentifier',
  'policyConstraints',
  'extKeyUsage',
  'inhibitAnyPolicy',
  'authorityInfoAccess',
  'noRevAvail',
])
const indent = 24
/** Milliseconds: 30 days. */
const soon = 2_592_000_000
