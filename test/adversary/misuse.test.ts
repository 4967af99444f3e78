import { describe, expect, test } from 'vitest'
import { parseClientAcl, parseIssuerAcl } from '../../src/acl/index.ts'
import {
  createClientCertificateValidator,
  validateClientCertificate,
} from '../../src/index.node.ts'
import {
  createClientCertificateValidatorSync,
  parseTrustAnchors,
  type TrustAnchorSource,
  type ValidateOptionsSync,
  validateClientCertificateSync,
} from '../../src/sync.ts'
import { issueCa, testTime } from '../../src/testing/index.ts'

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

describe('a time that is none', async () => {
  const client = await root.issue('client-a')
  const trustAnchors = parseTrustAnchors(root.pem)

  test('null is not taken for now', async () => {
    const options = { trustAnchors, time: null } as unknown as ValidateOptionsSync
    const misuse = expect.objectContaining({ code: 'option-invalid', option: 'time' })
    expect(() => validateClientCertificateSync(client.pem, options)).toThrow(misuse)
    await expect(validateClientCertificate(client.pem, options)).rejects.toThrow(misuse)
    const call = { time: null } as unknown as { time?: Date }
    const validator = createClientCertificateValidatorSync({ trustAnchors })
    expect(() => validator.validate(client.pem, call)).toThrow(misuse)
  })

  test('one for all calls of a validator is not passed over', () => {
    const options = { trustAnchors, time: new Date(testTime * 1000) }
    const misuse = expect.objectContaining({ code: 'options-conflict', option: 'time' })
    expect(() => createClientCertificateValidatorSync(options)).toThrow(misuse)
    expect(() => createClientCertificateValidator(options)).toThrow(misuse)
    const validator = createClientCertificateValidatorSync({ trustAnchors })
    expect(() => validator.update(options)).toThrow(misuse)
  })
})

describe('an ACL of the other kind', async () => {
  const client = await root.issue('client-a')
  const given = { trustAnchors: parseTrustAnchors(root.pem), time: new Date(testTime * 1000) }

  test.each([
    ['for clients as issuerAcl', 'issuerAcl', parseClientAcl('allow dn "CN=Root CA"')],
    ['for issuers as clientAcl', 'clientAcl', parseIssuerAcl('allow dn CN=client-a')],
  ])('%s', (_, option, acl) => {
    const options = { ...given, [option]: acl } as unknown as ValidateOptionsSync
    expect(() => validateClientCertificateSync(client.pem, options)).toThrow(
      expect.objectContaining({ code: 'option-invalid', option }),
    )
  })
})

describe('options that change after they were checked', () => {
  test.each([
    ['a switch', { initialExplicitPolicy: true }, 'policy-required'],
    ['a list of purposes', { acceptedPurposes: ['clientAuth'] }, 'extended-key-usage-server-only'],
    ['a name', { expectedPeerNames: [{ kind: 'DNS', value: 'b.example' }] }, 'peer-name-mismatch'],
    ['a budget', { budget: { signatures: 0 } }, 'budget-exhausted'],
  ])('%s', async (_, given, code) => {
    const client = await root.issue('client-a', {
      extendedKeyUsage: code === 'extended-key-usage-server-only' ? ['serverAuth'] : 'absent',
      subjectAltName: [{ dns: 'a.example' }],
    })
    const options = { trustAnchors: parseTrustAnchors(root.pem), ...given } as ValidateOptionsSync
    const validator = createClientCertificateValidatorSync(options, { verdicts: 0 })
    Object.assign(options, { initialExplicitPolicy: false })
    const mutable = options as unknown as {
      acceptedPurposes?: string[]
      expectedPeerNames?: { value: string }[]
      budget?: { signatures: number }
    }
    mutable.acceptedPurposes?.push('serverAuth')
    for (const name of mutable.expectedPeerNames ?? []) name.value = 'a.example'
    if (mutable.budget !== undefined) mutable.budget.signatures = 100
    const verdict = validator.validate(client.pem, { time: new Date(testTime * 1000) })
    expect(!verdict.ok && verdict.failure.code).toBe(code)
  })
})
