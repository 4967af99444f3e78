import { describe, expect, onTestFinished, test } from 'vitest'
import { prepareOptions } from '../../src/client/options.ts'
import { validateSteps } from '../../src/client/validate.ts'
import { runSync } from '../../src/effect/effect.ts'
import {
  parseTrustAnchors,
  type ValidateOptions,
  validateClientCertificate,
} from '../../src/index.node.ts'
import { Crls, parseCrls } from '../../src/revocation/crls.ts'
import type { StatusProvider } from '../../src/revocation/provider.ts'
import { OcspResponses, parseOcspResponses } from '../../src/revocation/responses.ts'
import { nodeHandlers } from '../../src/runtime/node.ts'
import { asyncNodeHandlers } from '../../src/runtime/node-async.ts'
import { type IssuedCertificate, issueCa, testTime } from '../../src/testing/index.ts'
import { judge, outcomeOf } from '../revocation/crl-support.ts'
import { codesOf, statusBy } from '../revocation/ocsp-support.ts'

// A revoked client, a stolen key, a provider that does as it likes.

const root = await issueCa('Root CA')
const client = await root.issue('client-a')
const trustAnchors = parseTrustAnchors(root.pem)
const time = new Date(testTime * 1000)

describe('a responder with the key of the certificate that is asked about', async () => {
  const own = await root.issueOcspResponder('Responder', {
    extendedKeyUsage: ['OCSPSigning', 'clientAuth'],
  })
  const says = (certStatus: 'good' | 'revoked', certificate: IssuedCertificate) =>
    root.issueOcspResponse({ signer: own, responses: [{ certificate, certStatus }] })

  test('does not vouch for it', async () => {
    const finding = statusBy(own, root, [await says('good', own)])
    expect(codesOf(finding)).toBe('ocsp-responder-not-authorized')
    const revocation = {
      mode: 'ocsp',
      ocspResponses: parseOcspResponses((await says('good', own)).der),
    } as const
    const verdict = await validateClientCertificate(own.der, { trustAnchors, time, revocation })
    expect(verdict).toMatchObject({
      ok: false,
      failure: {
        code: 'revocation-unknown',
        problems: [{ code: 'ocsp-responder-not-authorized', what: 'vouches-for-itself' }],
      },
    })
  })

  test('may give itself up, and answers for others', async () => {
    expect(statusBy(own, root, [await says('revoked', own)]).status).toBe('revoked')
    expect(statusBy(client, root, [await says('good', client)]).status).toBe('good')
  })
})

describe('a revocation by a responder whose own status a limit keeps from being known', () => {
  test('is suspected, whatever another answer says', async () => {
    const signer = await root.issueOcspResponder('Responder', { ocspNoCheck: 'absent' })
    const revoking = { certificate: client, certStatus: 'revoked' } as const
    const responses = [
      await root.issueOcspResponse({ signer, responses: [revoking] }),
      await root.issueOcspResponse({ responses: [client] }),
    ]
    const finding = statusBy(client, root, responses, {
      // biome-ignore lint/correctness/useYield: a step that asks nothing
      *isRevoked() {
        return 'limit'
      },
    })
    expect(finding).toMatchObject({ status: 'unknown', isSuspected: true })
    expect(codesOf(finding)).toBe('status-limit')
  })
})

describe('a list whose signature the runtime cannot judge', () => {
  test('and that names the certificate lets no other list, nor any rule, let it in', async () => {
    const revoking = parseCrls((await root.issueCrl({ revoked: [client] })).der)
    const good = parseCrls((await root.issueCrl({ cRLNumber: 9 })).der)
    const unjudged = revoking.lists[0]?.tbsCertList.der
    const node = nodeHandlers()
    const crls = parseCrls([...revoking.lists, ...good.lists])
    const options: ValidateOptions = {
      trustAnchors,
      revocation: { mode: 'crl', crls, onUnknown: 'allow' },
    }
    const verdict = runSync(validateSteps(client.der, prepareOptions(options), testTime), {
      ...node,
      verifySignature: (question) =>
        question.data === unjudged ? 'unsupported' : node.verifySignature(question),
    })
    expect(outcomeOf(verdict)).toBe('crl-signature:signature-algorithm-unsupported')
  })
})

describe('the buffer of a list', () => {
  test('that is overwritten after it was parsed, and judged, takes nothing back', async () => {
    const { der } = await root.issueCrl({ revoked: [client] })
    const buffer = new Uint8Array(der)
    const crls = parseCrls(buffer)
    const rule = { rule: { crls } }
    expect(outcomeOf(judge(client, root, [], rule))).toBe('revoked')
    buffer.fill(0)
    expect(outcomeOf(judge(client, root, [], rule))).toBe('revoked')
  })
})

describe('a check that is running', () => {
  test('answers nobody who asks with another key, though its buffer holds that key by now', async () => {
    const thief = await issueCa('Root CA', { key: 'P-256#7' })
    const data = new Uint8Array(2 << 20)
    const forged = await thief.issueCrl({ revoked: [client] })
    const [list] = parseCrls(forged.der).lists
    if (list === undefined) throw new Error('a list was issued')
    const { verifySignature } = asyncNodeHandlers()
    const scheme = { name: 'ECDSA', hash: 'SHA-256' } as const
    const signature = list.signatureValue
    const buffer = new Uint8Array(thief.tbsCertificate.subjectPublicKeyInfo.der)
    const own = root.tbsCertificate.subjectPublicKeyInfo.der
    const ask = (spki: Uint8Array) =>
      verifySignature({ op: 'verifySignature', scheme, spki, data, signature, memorable: false })
    const first = ask(buffer)
    buffer.set(own)
    const second = ask(own)
    expect(second).not.toBe(first)
    await Promise.all([first, second])
  })
})

/** Has nothing until `fetch` has come to its end. */
function providerOf(fetch: (self: Provider) => Promise<void>): Provider {
  const self: Provider = {
    epoch: 0,
    crls: new Crls([]),
    responses: new OcspResponses([]),
    asked: 0,
    request: () => {
      self.asked++
      return fetch(self)
    },
  }
  return self
}
type Provider = { -readonly [K in keyof StatusProvider]: StatusProvider[K] } & { asked: number }

describe('a provider', () => {
  test('whose promises reject is no unhandled rejection, waited for or not', async () => {
    const unhandled: unknown[] = []
    const listen = (reason: unknown): void => void unhandled.push(reason)
    process.on('unhandledRejection', listen)
    onTestFinished(() => void process.off('unhandledRejection', listen))
    const source = providerOf(() => Promise.reject(new Error('the network is down')))
    for (const wait of [0, 50]) {
      const revocation = { mode: 'crl', source, wait } as const
      const verdict = await validateClientCertificate(client.der, {
        trustAnchors,
        time,
        revocation,
      })
      expect(outcomeOf(verdict)).toBe('crl-missing')
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(source.asked).toBe(2)
    expect(unhandled).toEqual([])
  })

  test('that never settles is waited for once, however many paths there are', async () => {
    const keys = ['P-256#3', 'P-256#4', 'P-256#5', 'P-256#6'] as const
    const issuing = await root.issueCa('Issuing CA', { key: 'P-256#2' })
    const guest = await issuing.issue('guest')
    const above = await Promise.all(keys.map((key) => root.issueCa('Middle CA', { key })))
    const twins = await Promise.all(above.map((ca) => ca.issueCa('Issuing CA', { key: 'P-256#2' })))
    const source = providerOf(() => new Promise(() => undefined))
    const begin = performance.now()
    const sent = [guest, issuing, ...twins, ...above].map(({ der }) => der)
    const revocation = { mode: 'crl', source, wait: 300 } as const
    const verdict = await validateClientCertificate(sent, { trustAnchors, time, revocation })
    expect(verdict).toMatchObject({ ok: false, failure: { code: 'revocation-unknown' } })
    expect(source.asked).toBeGreaterThan(4)
    expect(performance.now() - begin).toBeLessThan(600)
  })

  test('that gets what was signed after the validation began is believed by one that waited', async () => {
    const later = { thisUpdate: testTime + 1, producedAt: testTime + 1, responses: [client] }
    const { der } = await root.issueOcspResponse(later)
    const source = providerOf(async (self) => {
      await new Promise((resolve) => setTimeout(resolve, 5))
      self.responses = parseOcspResponses(der)
      self.epoch++
    })
    const decide = async (wait: number) => {
      const revocation = { mode: 'ocsp', source, wait } as const
      const verdict = await validateClientCertificate(client.der, {
        trustAnchors,
        time,
        revocation,
      })
      return verdict.ok ? 'ok' : verdict.failure.code
    }
    expect(await decide(1_000)).toBe('ok')
    // Who does not wait has no other clock.
    expect(await decide(0)).toBe('revocation-unknown')
  })
})
