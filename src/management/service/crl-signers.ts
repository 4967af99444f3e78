/** Which key has signed a list, of those that the owner's trust stores name: RFC 5280 §6.3.3 (f). @module */

import { bytesEqual } from '../../base/bytes.ts'
import { maySignCrls } from '../../revocation/crl-signature.ts'
import { isSignedBy } from '../../runtime/revocation/verify-list.ts'
import type { Certificate, SubjectPublicKeyInfo } from '../../x509/certificate.ts'
import type { CertificateList } from '../../x509/crl.ts'
import type { Name } from '../../x509/name.ts'
import { nameKey } from '../../x509/name-match.ts'
import { parseCertificate } from '../../x509/parse-certificate.ts'
import { storedDer } from './certificates.ts'
import type { Db, Owner } from './lookups.ts'
import { type StoredTrustStore, storedTrustStores } from './settings.ts'

export type CrlSigner =
  | { readonly by: 'known'; readonly spki: SubjectPublicKeyInfo }
  /** A CA of this name and key is known, and its key did not sign it. */
  | { readonly by: 'nobody' }
  /** None of the keys that are known; clients may bring the CA along. */
  | { readonly by: 'unknown' }

/**
 * Certificates with the name of the list's issuer that may sign lists; each key once. Of the owner's own trust store; of a proxy without
 * one its project's; of a project those of its proxies as well, for which its lists count, too.
 */
export async function crlSignersOf(
  db: Db,
  owner: Owner,
  { tbsCertList: { issuer } }: CertificateList,
): Promise<readonly Certificate[]> {
  const found: Certificate[] = []
  const name = nameKey(issuer)
  for (const store of await storedTrustStores(db, owner)) {
    for (const one of namedIn(store, issuer, name)) {
      if (found.length >= maxSigners || !maySignCrls(one)) continue
      if (!found.some((other) => bytesEqual(spkiOf(one), spkiOf(other)))) found.push(one)
    }
  }
  return found
}

/** What was found out about this very list is not computed again: before a transaction it holds nobody up. */
export async function crlSignerOf(
  list: CertificateList,
  signers: readonly Certificate[],
): Promise<CrlSigner> {
  const { authorityKeyIdentifier } = list.tbsCertList.crlExtensions
  const keyIdentifier = authorityKeyIdentifier?.keyIdentifier
  let isForged = false
  for (const signer of signers) {
    const spki = signer.tbsCertificate.subjectPublicKeyInfo
    const verifies = await isSignedBy(list, spki)
    if (verifies === true) return { by: 'known', spki }
    const own = signer.tbsCertificate.extensions.subjectKeyIdentifier?.keyIdentifier
    // RFC 5280 §5.2.1: it tells keys of one name apart, and another key may well have signed it.
    const isOther =
      keyIdentifier !== undefined && own !== undefined && !bytesEqual(keyIdentifier, own)
    isForged ||= verifies === false && !isOther
  }
  return { by: isForged ? 'nobody' : 'unknown' }
}

function* namedIn(
  { anchors, intermediates }: StoredTrustStore,
  issuer: Name,
  name: string,
): Generator<Certificate> {
  for (const text of [...anchors, ...intermediates]) {
    const parsed = parseCertificate(storedDer(text))
    if (!parsed.ok) continue
    const { subject } = parsed.value.tbsCertificate
    if (bytesEqual(subject.der, issuer.der) || nameKey(subject) === name) yield parsed.value
  }
}

function spkiOf({ tbsCertificate }: Certificate): Uint8Array {
  return tbsCertificate.subjectPublicKeyInfo.der
}

/** Local limit on keys with one name, each of which costs hashing the list: a CA has one or two. */
const maxSigners = 8
