/** From the texts of a corpus to what the library takes. Cases share most certificates, so each text is read once. @module */
import { createHash } from 'node:crypto'
import { type IssuerAcl, issuerAclFromJson } from '../../src/acl/index.ts'
import { decodeBase64, encodeBase64 } from '../../src/base/base64.ts'
import { failed, type Result, success } from '../../src/base/result.ts'
import { type CertificateSource, readCertificates } from '../../src/client/certificate-source.ts'
import { parseTrustAnchors, type TrustAnchors } from '../../src/index.ts'
import { issueCa } from '../../src/testing/index.ts'
import { parseCertificate } from '../../src/x509/parse-certificate.ts'

const bytes = new Map<string, Uint8Array>()

/**
 * The octets of a base64 text.
 *
 * @throws Error when there is no text (a case names something that its corpus lacks) or it is no base64.
 */
export function bytesOf(base64: string | undefined): Uint8Array {
  if (base64 === undefined) throw new Error('the corpus lacks what a case names')
  return remembered(bytes, base64, () => {
    const decoded = decodeBase64(base64)
    if (decoded === undefined) throw new Error(`no base64: ${base64.slice(0, 40)}`)
    return decoded
  })
}

const certificates = new Map<string, CertificateSource>()

/** Parsed certificates; a text that is none stays text, for the library to judge. */
export function certificatesOf(pems: readonly string[]): readonly CertificateSource[] {
  return pems.map((pem) =>
    remembered(certificates, pem, () => {
      const read = readCertificates(pem)
      const whole = read.ok && read.value.unreadable.length === 0
      return (whole && read.value.certificates[0]) || pem
    }),
  )
}

const anchors = new Map<string, Result<TrustAnchors, { readonly code: string }>>()

/** Trust anchors of PEM texts or DER; the failure is that of an anchor that cannot be read, which leaves nothing to trust. */
export function anchorsOf(
  sources: readonly string[] | readonly Uint8Array[],
): Result<TrustAnchors, { readonly code: string }> {
  if (sources.some((source) => typeof source !== 'string')) return readAnchors(sources)
  return remembered(anchors, sources.join(), () =>
    readAnchors(certificatesOf(sources as readonly string[])),
  )
}

function readAnchors(
  sources: readonly CertificateSource[],
): Result<TrustAnchors, { readonly code: string }> {
  try {
    return success(parseTrustAnchors(sources))
  } catch (error) {
    // Other misuse would be a mistake of ours.
    const code = error instanceof TypeError && 'code' in error ? String(error.code) : ''
    if (code !== 'trust-anchor-unreadable') throw error
    return failed({ code })
  }
}

let stranger: Promise<Uint8Array> | undefined

/** One anchor that signed nothing: what a case without anchors gets, because no anchor at all is misuse. */
export async function strangers(): Promise<readonly Uint8Array[]> {
  stranger ??= issueCa('Signed Nothing').then(({ der }) => der)
  return [await stranger]
}

/** One ACL entry as the corpora write it. */
export interface AclEntryJson {
  readonly effect: 'allow' | 'deny'
  readonly at?: string
  readonly match: {
    readonly at?: string
    readonly dn?: string
    readonly attributes?: Readonly<Record<string, string>>
    readonly spki_sha256?: string
    readonly certificate_sha256?: string
    readonly key_id?: string
  }
}

/**
 * An ACL that denies CAs by these certificates, wherever they stand on the path, and allows what any of `anchors` vouches for. One
 * certificate each: the suites distrust a certificate and trust another of the same name and key.
 */
export function denying(
  denied: readonly Uint8Array[],
  { anchors: trusted }: TrustAnchors,
): IssuerAcl {
  return issuerAclFromJson([
    ...denied.map((der) => ({
      effect: 'deny',
      at: 'path',
      match: { tbsSha256: tbsSha256(der) },
    })),
    ...trusted.map(({ certificate }) => ({
      effect: 'allow',
      at: 'anchor',
      match: { certificate: encodeBase64(certificate?.der ?? new Uint8Array()) },
    })),
  ])
}

function tbsSha256(der: Uint8Array): string {
  const parsed = parseCertificate(der)
  if (!parsed.ok) throw new Error(`a certificate to deny cannot be read: ${parsed.failure.code}`)
  return createHash('sha256').update(parsed.value.tbsCertificate.der).digest('hex')
}

const matchNames: Readonly<Record<string, string>> = {
  spki_sha256: 'spkiSha256',
  certificate_sha256: 'certificateSha256',
  key_id: 'keyId',
}

export function aclFrom(entries: readonly AclEntryJson[]): IssuerAcl {
  return issuerAclFromJson(
    entries.map(({ effect, match: { at, ...match }, ...entry }) => ({
      effect,
      at: at ?? entry.at ?? 'issuer',
      match: Object.fromEntries(
        Object.entries(match).map(([name, value]) => [matchNames[name] ?? name, value]),
      ),
    })),
  )
}

function remembered<V>(map: Map<string, V>, key: string, make: () => V): V {
  let value = map.get(key)
  if (value === undefined) {
    value = make()
    map.set(key, value)
  }
  return value
}
