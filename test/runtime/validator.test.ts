import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseIssuerAcl } from '../../src/acl/index.ts'
import * as nodeEntry from '../../src/index.node.ts'
import { parseTrustAnchors, type Verdict } from '../../src/index.ts'
import {
  createClientCertificateValidatorSync,
  validateClientCertificateSync,
} from '../../src/sync.ts'
import { createPki, issueCa, testTime } from '../../src/testing/index.ts'
import { parseCertificate } from '../../src/x509/parse-certificate.ts'
import { at, misuseOf } from '../client/support.ts'

const pki = await createPki()
const { client, issuing, root } = pki
const trustAnchors = parseTrustAnchors(pki.anchorsPem)
const options = { trustAnchors, intermediates: pki.intermediatesPem }
const time = at()
const other = await issuing.issue('client-b')
const short = await issuing.issue('short', { notBefore: testTime - 10, notAfter: testTime + 10 })

const validator = (verdicts = 10) => createClientCertificateValidatorSync(options, { verdicts })
const code = (verdict: Verdict) => (verdict.ok ? 'ok' : verdict.failure.code)

describe('a verdict is kept', () => {
  test.each<[string, string | Uint8Array | readonly Uint8Array[]]>([
    ['PEM', pki.chainPem],
    ['DER', client.der],
    ['an array of DER', [client.der, issuing.der]],
  ])('under %s, octet for octet', (_, source) => {
    const known = validator()
    const first = known.validate(source, { time })
    expect(code(first)).toBe('ok')
    expect(known.validate(source, { time })).toBe(first)
    const copy = structuredClone(source)
    expect(known.validate(copy, { time })).toBe(first)
    expect(known.size()).toBe(1)
  })
  test.each<[string, Parameters<typeof known.validate>[0]]>([
    ['a parsed certificate', client],
    ['an array with one', [client.der, issuing]],
    ['an array of texts', [client.pem]],
  ])('but not of %s', (_, source) => {
    const fresh = validator()
    expect(code(fresh.validate(source, { time }))).toBe('ok')
    expect(fresh.size()).toBe(0)
  })
  const known = validator()

  test('another octet is another input, though the signature is the same', () => {
    const changed = client.der.slice()
    changed[60] = (changed[60] as number) ^ 1
    const fresh = validator()
    expect(code(fresh.validate(client.der, { time }))).toBe('ok')
    expect(code(fresh.validate(changed, { time }))).not.toBe('ok')
    expect(code(fresh.validate([changed, issuing.der], { time }))).not.toBe('ok')
    expect(code(fresh.validate(client.der, { time }))).toBe('ok')
  })
  test('one certificate is not the list of it, and order counts', () => {
    const fresh = validator()
    const single = fresh.validate(client.der, { time })
    const list = fresh.validate([client.der], { time })
    expect(list).not.toBe(single)
    const pair = fresh.validate([client.der, issuing.der], { time })
    expect(pair).not.toBe(list)
    const turned = fresh.validate([issuing.der, client.der], { time })
    expect(code(turned)).not.toBe('ok')
    expect(fresh.validate([client.der], { time })).toBe(list)
  })
  test('none are kept with capacity 0', () => {
    const none = validator(0)
    expect(none.validate(client.der, { time })).not.toBe(none.validate(client.der, { time }))
    expect(none.size()).toBe(0)
  })
  test('bounded: what was not used for longest goes first', () => {
    const small = validator(2)
    const first = small.validate(client.der, { time })
    small.validate(other.der, { time })
    expect(small.validate(client.der, { time })).toBe(first)
    small.validate(short.der, { time })
    expect(small.size()).toBe(2)
    expect(small.validate(client.der, { time })).toBe(first)
  })
})

describe('buffers that the caller overwrites', () => {
  const twin = other.der.length === client.der.length ? other : undefined
  const take = (bytes: Uint8Array) => {
    const buffer = new Uint8Array(Math.max(client.der.length, other.der.length))
    buffer.set(bytes)
    return buffer
  }
  test('are not taken for what was in them', () => {
    const fresh = validator()
    const buffer = take(client.der).subarray(0, client.der.length)
    const first = fresh.validate(buffer, { time })
    expect(code(first)).toBe('ok')
    buffer[60] = (buffer[60] as number) ^ 1
    expect(code(fresh.validate(buffer, { time }))).not.toBe('ok')
  })
  test.each(['alone', 'in a list'])('do not change who a kept verdict names: %s', (how) => {
    const fresh = validator()
    const wrap = (bytes: Uint8Array) => (how === 'alone' ? bytes : [bytes])
    const expected = JSON.stringify(identityOf(validator().validate(client.der.slice(), { time })))
    const buffer = client.der.slice()
    expect(code(fresh.validate(wrap(buffer), { time }))).toBe('ok')
    buffer.set((twin ?? other).der.subarray(0, buffer.length))
    const again = fresh.validate(wrap(client.der.slice()), { time })
    expect(JSON.stringify(identityOf(again))).toBe(expected)
    if (again.ok && again.verified) expect(again.path[0]?.der).toEqual(client.der)
  })
  function identityOf(verdict: Verdict) {
    if (verdict.ok && verdict.verified) return verdict.identity
    throw new Error(code(verdict))
  }
})

describe('only within its period', () => {
  test('both ends are inclusive', () => {
    const fresh = validator()
    const first = fresh.validate(short.der, { time })
    expect(fresh.validate(short.der, { time: at(10) })).toBe(first)
    expect(fresh.validate(short.der, { time: at(-10) })).toBe(first)
    expect(code(fresh.validate(short.der, { time: at(11) }))).toBe('certificate-expired')
    expect(code(fresh.validate(short.der, { time: at(-11) }))).toBe('certificate-not-yet-valid')
    expect(fresh.validate(short.der, { time })).toBe(first)
  })
  test('a refusal that time or new input may mend is not kept', async () => {
    const stranger = await (await issueCa('Stranger')).issue('x')
    const fresh = validator()
    expect(code(fresh.validate(short.der, { time: at(11) }))).toBe('certificate-expired')
    expect(code(fresh.validate(stranger.der, { time }))).toBe('issuer-unknown')
    expect(code(fresh.validate('', { time }))).toBe('input-empty')
    expect(fresh.size()).toBe(0)
    expect(code(fresh.validate(short.der, { time }))).toBe('ok')
  })
  test.each<[string, string | Uint8Array]>([
    ['der-truncated', client.der.subarray(0, 99)],
    ['input-unrecognized', 'x'],
    ['input-not-a-certificate', client.privateKeyPem],
    ['input-pem-malformed', '-----BEGIN CERTIFICATE-----'],
  ])('a refusal of the octets is: %s', (expected, source) => {
    const fresh = validator()
    const first = fresh.validate(source, { time })
    expect(code(first)).toBe(expected)
    expect(fresh.validate(source, { time: at(1e9) })).toBe(first)
  })
  test('an unverified answer is not kept', () => {
    const open = createClientCertificateValidatorSync({ validateCertificate: false })
    expect(open.validate(client.der, { time }).ok).toBe(true)
    expect(open.size()).toBe(0)
  })
})

describe('other options', () => {
  test('forget every verdict', () => {
    const fresh = validator()
    expect(code(fresh.validate(client.der, { time }))).toBe('ok')
    fresh.update({ ...options, issuerAcl: parseIssuerAcl('') })
    expect(fresh.size()).toBe(0)
    expect(code(fresh.validate(client.der, { time }))).toBe('acl-empty')
  })
  test('that make no sense change nothing', () => {
    const fresh = validator()
    const first = fresh.validate(client.der, { time })
    const update = () => fresh.update({} as typeof options)
    expect(misuseOf(update)).toMatchObject({ code: 'trust-anchors-missing' })
    expect(fresh.validate(client.der, { time })).toBe(first)
  })
  test('that come while a call is under way are not mixed with its answer', async () => {
    const slow = nodeEntry.createClientCertificateValidator(options)
    const pending = slow.validate(client.der, { time })
    slow.update({ ...options, issuerAcl: parseIssuerAcl('') })
    expect(code(await pending)).toBe('ok')
    expect(code(await slow.validate(client.der, { time }))).toBe('acl-empty')
  })
  test('are checked when the validator is made, the time with each call', async () => {
    const make = () => createClientCertificateValidatorSync({} as typeof options)
    expect(misuseOf(make)).toMatchObject({ code: 'trust-anchors-missing' })
    const bad = { time: new Date(Number.NaN) }
    expect(misuseOf(() => validator().validate(client.der, bad))).toMatchObject({ option: 'time' })
    const slow = nodeEntry.createClientCertificateValidator(options)
    await expect(slow.validate(client.der, bad)).rejects.toMatchObject({ code: 'option-invalid' })
    expect((await slow.validate(client.der)).ok).toBe(true)
    expect(slow.size()).toBe(1)
    expect(await slow.validate(client.der)).toBe(await slow.validate(client.der))
  })
})

test('a validator changes nothing but time', () => {
  const sources: readonly (string | Uint8Array | readonly Uint8Array[])[] = [
    pki.chainPem,
    client.der,
    other.der,
    short.der,
    [client.der, issuing.der],
    [issuing.der, client.der],
    client.der.subarray(1),
    root.der,
    '',
  ]
  const call = fc.tuple(fc.constantFrom(...sources), fc.constantFrom(-11, -10, 0, 10, 11, 1e9))
  fc.assert(
    fc.property(fc.array(call, { maxLength: 30 }), fc.nat(3), (calls, verdicts) => {
      const known = validator(verdicts)
      for (const [source, seconds] of calls) {
        const bare = validateClientCertificateSync(source, { ...options, time: at(seconds) })
        const cached = known.validate(source, { time: at(seconds) })
        expect(factsOf(cached)).toEqual(factsOf(bare))
        expect(known.size()).toBeLessThanOrEqual(verdicts)
      }
    }),
    { numRuns: 40 },
  )
})

/** What two verdicts about the same octets must agree on. */
function factsOf(verdict: Verdict): unknown {
  if (!verdict.ok) return { failure: verdict.failure, warnings: verdict.warnings }
  if (!verdict.verified) return verdict
  const { identity, validFrom, validUntil, warnings, path } = verdict
  return [JSON.stringify(identity), validFrom, validUntil, warnings, path.map(({ der }) => der)]
}

test('a certificate that was parsed by the caller is taken as it is', () => {
  const parsed = parseCertificate(client.der)
  expect(parsed.ok && code(validator().validate(parsed.value, { time }))).toBe('ok')
})
