import { describe, expect, test } from 'vitest'
import { parseTrustAnchors, type TrustAnchorSource } from '../../src/sync.ts'
import { issueCa } from '../../src/testing/index.ts'

// A caller's slip that would let clients in, was it passed over.

const root = await issueCa('Root CA')
const { subject: name, subjectPublicKeyInfo } = root.tbsCertificate
const bare = { name, subjectPublicKeyInfo }

describe('constraints beside a trust anchor, RFC 5937 §3.2', () => {
  const dns = { base: { kind: 'dNSName', value: 'example' } }

  test.each([
    ['a misspelt field', { pathLength: 0 }, 'option-unknown', 'pathLength'],
    ['no number', { pathLenConstraint: Number.NaN }, 'option-invalid', 'pathLenConstraint'],
    ['a negative number', { pathLenConstraint: -1 }, 'option-invalid', 'pathLenConstraint'],
    ['a text', { pathLenConstraint: '0' }, 'option-invalid', 'pathLenConstraint'],
    ['null', null, 'option-invalid', 'constraints'],
    ['a misspelt list', { nameConstraints: { permitted: [dns] } }, 'option-unknown', 'permitted'],
    [
      'no list',
      { nameConstraints: { excludedSubtrees: dns } },
      'option-invalid',
      'excludedSubtrees',
    ],
    [
      'a name without its subtree',
      { nameConstraints: { permittedSubtrees: [dns.base] } },
      'option-invalid',
      'permittedSubtrees',
    ],
    [
      'a kind of name that is none',
      { nameConstraints: { permittedSubtrees: [{ base: { kind: 'dns', value: 'example' } }] } },
      'option-invalid',
      'permittedSubtrees',
    ],
  ])('%s', (_, constraints, code, option) => {
    for (const source of [
      { certificate: root, constraints },
      { ...bare, constraints },
    ]) {
      expect(() => parseTrustAnchors(source as TrustAnchorSource)).toThrow(
        expect.objectContaining({ code, option }),
      )
    }
  })

  test('those of a certificate will do', () => {
    const nameConstraints = {
      permittedSubtrees: [dns],
      excludedSubtrees: undefined,
      critical: true,
    }
    const source = { certificate: root, constraints: { nameConstraints } } as TrustAnchorSource
    expect(parseTrustAnchors(source).anchors[0]?.constraints).toEqual({ nameConstraints })
  })
})

describe('a bare trust anchor', () => {
  test.each([
    ['a misspelt field', { ...bare, constraint: {} }, 'option-unknown', 'constraint'],
    ['a name as text', { ...bare, name: 'CN=Root CA' }, 'option-invalid', 'name'],
    ['no name', { subjectPublicKeyInfo }, 'option-invalid', 'name'],
    [
      'a key as octets',
      { name, subjectPublicKeyInfo: subjectPublicKeyInfo.der },
      'option-invalid',
      'subjectPublicKeyInfo',
    ],
  ])('%s', (_, source, code, option) => {
    expect(() => parseTrustAnchors(source as unknown as TrustAnchorSource)).toThrow(
      expect.objectContaining({ code, option }),
    )
  })

  test('one of a verdict will do again', () => {
    const [anchor] = parseTrustAnchors(bare).anchors
    expect(parseTrustAnchors(anchor as TrustAnchorSource).anchors).toEqual([anchor])
  })
})
