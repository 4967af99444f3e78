/** One certificate as labelled lines. @module */

import type { CertificateDescription } from '../../client/describe.ts'
import { drawRows, type Row } from './rows.ts'
import type { Style } from './style.ts'
import { dateText, distanceText, keyText } from './words.ts'

export function drawCertificate(
  description: CertificateDescription,
  now: Date,
  style: Style,
): string[] {
  const d = description
  const { basicConstraints, nameConstraints, policyConstraints } = d
  const state = stateOf(d, now, style)
  const rows: readonly Row[] = [
    ['subject', d.subject || '(empty)'],
    ['issuer', d.issuer || '(empty)'],
    ['serial', d.serialNumber],
    [
      'not before',
      `${dateText(d.notBefore)}  (${distanceText(d.notBefore, now)})`,
      state['not before'],
    ],
    [
      'not after',
      `${dateText(d.notAfter)}  (${distanceText(d.notAfter, now)})`,
      state['not after'],
    ],
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
  return drawRows(rows, style)
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
/** Milliseconds: 30 days. */
const soon = 2_592_000_000
