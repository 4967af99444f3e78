import { describe, expect, test } from 'vitest'
import {
  createClientCertificateValidator,
  parseTrustAnchors,
  type RevocationOptions,
  type StatusProvider,
  validateClientCertificate,
  type WantedStatus,
} from '../../src/index.node.ts'
import { parseCrls, parseOcspResponses } from '../../src/revocation.ts'
import {
  createClientCertificateValidatorSync,
  validateClientCertificateSync,
} from '../../src/sync.ts'
import { issueCa, testTime } from '../../src/testing/index.ts'

const root = await issueCa('Root of a provider')
const client = await root.issue('client')
const { der: list } = await root.issueCrl()
const time = new Date(testTime * 1000)
const trustAnchors = parseTrustAnchors(root)

/** Learns the list when it is asked for something, after so many milliseconds. */
class LateProvider implements StatusProvider {
  epoch = 0
  crls = parseCrls([])
  responses = parseOcspResponses([])
  readonly wanted: WantedStatus[] = []
  readonly #delay: number

  constructor(delay: number) {
    this.#delay = delay
  }

  readonly request = (wanted: WantedStatus): Promise<void> => {
    this.wanted.push(wanted)
    return new Promise((resolve) => {
      setTimeout(() => {
        this.crls = parseCrls(list)
        this.epoch++
        resolve()
      }, this.#delay)
    })
  }
}

function rule(source: StatusProvider) {
  return { mode: 'crl', source } as const
}

function waiting(source: StatusProvider, wait: number): RevocationOptions {
  return { ...rule(source), wait }
}

describe('a provider of lists', () => {
  test('is told what is missing, and nobody waits unless asked to', async () => {
    const source = new LateProvider(20)
    const options = { trustAnchors, time, revocation: rule(source) }
    const verdict = await validateClientCertificate(client, options)
    expect(verdict).toMatchObject({
      ok: false,
      failure: { code: 'revocation-unknown', index: 0, problems: [{ code: 'crl-missing' }] },
    })
    expect(source.wanted).toMatchObject([{ certificate: client, crl: true, ocsp: false }])
    expect(validateClientCertificateSync(client, options).ok).toBe(false)
  })

  test('what comes within the time is used', async () => {
    const source = new LateProvider(20)
    const verdict = await validateClientCertificate(client, {
      trustAnchors,
      time,
      revocation: waiting(source, 5000),
    })
    expect(verdict).toMatchObject({ ok: true, revocation: [{ status: 'good', index: 0 }] })
    expect(source.wanted).toHaveLength(1)
  })

  test('what comes too late is not waited for', async () => {
    const source = new LateProvider(10_000)
    const begin = performance.now()
    const verdict = await validateClientCertificate(client, {
      trustAnchors,
      time,
      revocation: waiting(source, 50),
    })
    expect(performance.now() - begin).toBeLessThan(2000)
    expect(verdict).toMatchObject({ ok: false, failure: { code: 'revocation-unknown' } })
  })

  test('a change of what it knows reaches remembered verdicts', async () => {
    const source = new LateProvider(0)
    source.crls = parseCrls(list)
    const validator = createClientCertificateValidator({ trustAnchors, revocation: rule(source) })
    expect((await validator.validate(client.der, { time })).ok).toBe(true)
    expect(validator.size()).toBe(1)
    const { der: later } = await root.issueCrl({ revoked: [client] })
    source.crls = parseCrls(later)
    source.epoch++
    expect(validator.size()).toBe(0)
    expect(await validator.validate(client.der, { time })).toMatchObject({
      ok: false,
      failure: { code: 'certificate-revoked', index: 0 },
    })
  })

  test('a synchronous call cannot wait, and says so', () => {
    const options = { trustAnchors, revocation: waiting(new LateProvider(0), 10) }
    const misuse = expect.objectContaining({
      code: 'options-conflict',
      option: 'revocation.wait',
    })
    // @ts-expect-error it does not even compile
    expect(() => validateClientCertificateSync(client, options)).toThrow(misuse)
    // @ts-expect-error nor does that
    expect(() => createClientCertificateValidatorSync(options)).toThrow(misuse)
  })
})
