import { request } from 'node:http'
import { connect } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { writeElement, writeOctetString, writeSequence } from '../../src/der/writer.ts'
import {
  issueCa,
  type Responder,
  type ResponderFault,
  startResponder,
  testTime,
} from '../../src/testing/index.ts'
import type { Certificate } from '../../src/x509/certificate.ts'
import type { CertificateList } from '../../src/x509/crl.ts'
import type { OcspResponse } from '../../src/x509/ocsp.ts'
import { parseCrl } from '../../src/x509/parse-crl.ts'
import { parseOcspResponse } from '../../src/x509/parse-ocsp.ts'
import { writeOcspRequest } from '../../src/x509/write-ocsp.ts'

describe('the responder', async () => {
  const root = await issueCa('Root CA')
  const client = await root.issue('client-a')
  const revoked = await root.issue('client-b')
  const delegate = await root.issueOcspResponder('OCSP responder')
  const { der: octets } = await root.issueCrl({ revoked: [revoked] })
  const responder = await startResponder({
    routes: {
      '/fixed.crl': { body: octets, contentType: 'application/pkix-crl' },
      '/root.crl': { crlOf: root, options: { revoked: [revoked] } },
      '/delta.crl': { deltaCrlOf: root },
      '/root.cer': { body: root.der, contentType: 'application/pkix-cert' },
      '/plain': { body: Uint8Array.of(1, 2, 3) },
      '/ocsp': {
        ocspOf: root,
        statuses: [{ certificate: revoked, certStatus: { reason: 'keyCompromise' } }],
      },
    },
  })
  afterAll(() => responder.close())
  const get = (path: string, init?: RequestInit) => fetch(responder.url(path), init)

  /** Sets a fault for one test. */
  const failing = async <T>(path: string, fault: ResponderFault, use: () => Promise<T>) => {
    responder.fail(path, fault)
    try {
      return await use()
    } finally {
      responder.heal(path)
    }
  }

  describe('without a fault', () => {
    test('serves lists and octets under their media types', async () => {
      const response = await get('/root.crl')
      expect(response.status).toBe(200)
      expect(response.headers.get('content-type')).toBe('application/pkix-crl')
      expect(serialNumbers(await listOf(response))).toEqual([revoked.tbsCertificate.serialNumber])
      const delta = await listOf(await get('/delta.crl'))
      expect(delta.tbsCertList.crlExtensions.deltaCRLIndicator?.critical).toBe(true)
      const cer = await get('/root.cer')
      expect(cer.headers.get('content-type')).toBe('application/pkix-cert')
      expect(await octetsOf(cer)).toEqual(root.der)
      const plain = await get('/plain')
      expect(plain.headers.get('content-type')).toBe('application/octet-stream')
      expect((await get('/other')).status).toBe(404)
    })

    test('issues a list once, and anew when it is set', async () => {
      const first = await octetsOf(await get('/root.crl'))
      expect(await octetsOf(await get('/root.crl'))).toEqual(first)
      responder.set('/root.crl', { crlOf: root, options: { revoked: [client] } })
      expect(serialNumbers(await listOf(await get('/root.crl')))).toEqual([
        client.tbsCertificate.serialNumber,
      ])
      responder.set('/root.crl', { crlOf: root, options: { revoked: [revoked] } })
    })

    test('answers 304 to whoever has the list, until it changes', async () => {
      const headers = (await get('/root.crl')).headers
      const [tag, modified] = [headers.get('etag') ?? '', headers.get('last-modified') ?? '']
      const status = async (name: string, value: string) =>
        (await get('/root.crl', { headers: { [name]: value } })).status
      expect(await status('If-None-Match', tag)).toBe(304)
      expect(await status('If-None-Match', `"other", ${tag}`)).toBe(304)
      expect(await status('If-None-Match', '"other"')).toBe(200)
      expect(await status('If-Modified-Since', modified)).toBe(304)
      responder.set('/root.crl', { crlOf: root, options: { revoked: [revoked] } })
      expect(await status('If-None-Match', tag)).toBe(200)
      expect(await status('If-Modified-Since', modified)).toBe(200)
    })

    test('keeps what was asked', async () => {
      const before = responder.requests.length
      await get('/plain?a=1', { method: 'POST', body: 'x', headers: { 'X-Name': 'v' } })
      expect(responder.requests.slice(before)).toMatchObject([
        { method: 'POST', path: '/plain?a=1', headers: { 'x-name': 'v' } },
      ])
      expect([...(responder.requests.at(-1)?.body ?? [])]).toEqual([0x78])
    })
  })

  describe('asked for a status', () => {
    const post = async (body: Uint8Array, at: Responder = responder): Promise<OcspResponse> =>
      responseOf(await fetch(at.url('/ocsp'), { method: 'POST', body: body as BufferSource }))

    test.each(['SHA-1', 'SHA-256'] as const)(
      'by POST with %s it knows good from revoked',
      async (hash) => {
        const answers = []
        for (const certificate of [client, revoked]) {
          const { basic } = await post(await requestFor(root, certificate, hash))
          answers.push(basic?.responses[0]?.certStatus.status)
          expect(basic?.responses[0]?.certID.serialNumber).toEqual(
            certificate.tbsCertificate.serialNumber,
          )
        }
        expect(answers).toEqual(['good', 'revoked'])
      },
    )

    test('by GET it answers the same, RFC 6960 §A.1', async () => {
      const asked = await requestFor(root, revoked)
      const text = encodeURIComponent(Buffer.from(asked).toString('base64'))
      const response = await get(`/ocsp/${text}`)
      expect(response.headers.get('content-type')).toBe('application/ocsp-response')
      const { basic } = await responseOf(response)
      expect(basic?.responses[0]?.certStatus).toMatchObject({
        status: 'revoked',
        reason: 'keyCompromise',
      })
      const bare = await get(`/ocsp/${Buffer.from(asked).toString('base64')}`)
      expect((await responseOf(bare)).responseStatus).toBe('successful')
    })

    test('it sends a nonce back', async () => {
      const nonce = new Uint8Array(32).fill(7)
      const { basic } = await post(await requestFor(root, client, 'SHA-1', nonce))
      expect(basic?.nonce).toEqual(nonce)
      expect((await post(await requestFor(root, client))).basic?.nonce).toBeUndefined()
    })

    test('about another CA it is not authorized, RFC 6960 §4.2.2.3', async () => {
      const other = await issueCa('Other CA')
      expect(await post(await requestFor(other, client))).toMatchObject({
        responseStatus: 'unauthorized',
      })
      const certID = writeSequence(
        writeSequence(writeElement(6, Uint8Array.of(42, 3))),
        writeOctetString(Uint8Array.of(1)),
        writeOctetString(Uint8Array.of(1)),
        writeElement(2, Uint8Array.of(1)),
      )
      const strange = writeSequence(writeSequence(writeSequence(writeSequence(certID))))
      expect(await post(strange)).toMatchObject({ responseStatus: 'unauthorized' })
    })

    test('about certificates of two CAs it knows those of its own', async () => {
      const other = await issueCa('Other CA')
      const asked = [await requestFor(root, revoked), await requestFor(other, client)]
      // OCSPRequest, TBSRequest and requestList are headers of two octets each.
      const both = writeSequence(writeSequence(writeSequence(...asked.map((one) => one.slice(6)))))
      const { basic } = await post(both)
      expect(basic?.responses.map(({ certStatus }) => certStatus.status)).toEqual([
        'revoked',
        'unknown',
      ])
    })

    test.each([
      ['nothing', Uint8Array.of()],
      ['no DER', Uint8Array.of(0xff, 0xff)],
      ['an INTEGER', Uint8Array.of(2, 1, 1)],
      ['an empty SEQUENCE', Uint8Array.of(0x30, 0)],
      ['a request of something else', writeSequence(writeSequence(writeSequence(client.der)))],
      [
        'a certID of four wrong types',
        writeSequence(
          writeSequence(
            writeSequence(
              writeSequence(
                writeSequence(
                  writeSequence(writeElement(6, Uint8Array.of(42, 3))),
                  writeElement(2, Uint8Array.of(1)),
                  writeElement(2, Uint8Array.of(1)),
                  writeElement(2, Uint8Array.of(1)),
                ),
              ),
            ),
          ),
        ),
      ],
    ])('%s is a malformed request', async (_, body) => {
      expect(await post(body)).toMatchObject({ responseStatus: 'malformedRequest' })
    })

    test.each(['/ocsp/', '/ocsp/!', '/ocsp/%ff', '/ocsp'])(
      'a GET of %s is a malformed request',
      async (path) => {
        expect(await responseOf(await get(path))).toMatchObject({
          responseStatus: 'malformedRequest',
        })
      },
    )

    test('options, other statuses and no nonce are the route’s to say', async () => {
      const nonce = new Uint8Array(16)
      const asked = await requestFor(root, client, 'SHA-1', nonce)
      const own = await startResponder({
        routes: {
          '/ocsp': {
            ocspOf: root,
            statuses: [{ serialNumber: 200 }],
            otherwise: 'unknown',
            nonce: 'absent',
            options: { signer: delegate, nextUpdate: 'absent' },
          },
        },
      })
      try {
        const { basic } = await post(asked, own)
        expect(basic).toMatchObject({ certs: [delegate.der], nonce: undefined })
        expect(basic?.responses).toMatchObject([
          { certStatus: { status: 'unknown' }, nextUpdate: undefined },
        ])
        own.set('/ocsp', { ocspOf: root, options: { responseStatus: 'tryLater' } })
        expect(await post(asked, own)).toMatchObject({ responseStatus: 'tryLater' })
      } finally {
        await own.close()
      }
    })

    test('stale, by a wrong signer, with a wrong nonce', async () => {
      const nonce = new Uint8Array(16)
      const asked = await requestFor(root, client, 'SHA-1', nonce)
      const stale = await failing('/ocsp', { kind: 'stale' }, () => post(asked))
      expect(stale.basic?.responses[0]?.nextUpdate).toBeLessThan(testTime)
      expect(stale.basic?.nonce).toEqual(nonce)
      const wrong = await failing('/ocsp', { kind: 'wrong-signer' }, () => post(asked))
      const right = await post(asked)
      expect(wrong.basic?.responderID).toEqual(right.basic?.responderID)
      expect(await isSigned(right, root)).toBe(true)
      expect(await isSigned(wrong, root)).toBe(false)
      const replayed = await failing('/ocsp', { kind: 'wrong-nonce' }, () => post(asked))
      expect(replayed.basic?.nonce).not.toEqual(nonce)
      expect(replayed.basic?.nonce).toBeDefined()
    })
  })

  describe('told to fail', () => {
    const crl = <T>(fault: ResponderFault, use: () => Promise<T>) =>
      failing('/fixed.crl', fault, use)
    const issued = <T>(fault: ResponderFault, use: () => Promise<T>) =>
      failing('/root.crl', fault, use)

    test('slow: the answer is right and late', async () => {
      const begin = performance.now()
      const read = await crl({ kind: 'slow', milliseconds: 100 }, async () =>
        octetsOf(await get('/fixed.crl')),
      )
      expect(read).toEqual(octets)
      expect(performance.now() - begin).toBeGreaterThan(90)
    })

    test('drip: one octet after another, until the client has enough', async () => {
      const all = await crl({ kind: 'drip', milliseconds: 0 }, async () =>
        octetsOf(await get('/fixed.crl')),
      )
      expect(all).toEqual(octets)
      await crl({ kind: 'drip', milliseconds: 20 }, async () => {
        const { body } = await get('/fixed.crl')
        const reader = body?.getReader()
        expect((await reader?.read())?.value).toHaveLength(1)
        await reader?.cancel()
      })
    })

    test('never: a client waits until it gives up', async () => {
      const asked = crl({ kind: 'never' }, () =>
        get('/fixed.crl', { signal: AbortSignal.timeout(60) }),
      )
      await expect(asked).rejects.toMatchObject({ name: 'TimeoutError' })
    })

    test('reset: the connection is gone before an answer', async () => {
      const asked = crl({ kind: 'reset' }, () => get('/fixed.crl'))
      await expect(asked).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } })
    })

    test('truncated: Content-Length promises more than comes', async () => {
      const answer = await crl({ kind: 'truncated' }, () => get('/fixed.crl'))
      expect(answer.headers.get('content-length')).toBe(String(octets.length))
      await expect(answer.arrayBuffer()).rejects.toThrow()
    })

    test('status: what is asked for, with Retry-After', async () => {
      const status = async (fault: ResponderFault) => {
        const answer = await crl(fault, () => get('/fixed.crl'))
        return [answer.status, answer.headers.get('retry-after')]
      }
      expect(await status({ kind: 'status' })).toEqual([500, null])
      expect(await status({ kind: 'status', status: 404 })).toEqual([404, null])
      expect(await status({ kind: 'status', status: 429, retryAfter: 7 })).toEqual([429, '7'])
    })

    test('not-modified: 304 to a client that has nothing', async () => {
      expect((await crl({ kind: 'not-modified' }, () => get('/fixed.crl'))).status).toBe(304)
    })

    test('redirect: within the host, to another host, for ever, anywhere', async () => {
      const to = async (target?: 'other-host' | 'loop' | 'http://10.0.0.1/a') => {
        const fault = { kind: 'redirect', ...(target === undefined ? {} : { to: target }) } as const
        const { status, headers } = await crl(fault, () =>
          get('/fixed.crl', { redirect: 'manual' }),
        )
        expect(status).toBe(302)
        return headers.get('location')
      }
      expect(await to()).toBe('/fixed.crl?redirected')
      expect(await to('other-host')).toBe(`http://localhost:${responder.port}/fixed.crl?redirected`)
      expect(await to('loop')).toBe('/fixed.crl')
      expect(await to('http://10.0.0.1/a')).toBe('http://10.0.0.1/a')
      await crl({ kind: 'redirect', status: 307 }, async () => {
        expect(await octetsOf(await get('/fixed.crl'))).toEqual(octets)
      })
      const loop = crl({ kind: 'redirect', to: 'loop' }, () => get('/fixed.crl'))
      await expect(loop).rejects.toThrow()
    })

    test('huge: as much as the client takes, or as it is told', async () => {
      const some = await crl({ kind: 'huge', octets: 100_000 }, async () =>
        octetsOf(await get('/fixed.crl')),
      )
      expect(some).toHaveLength(100_000)
      expect(some.subarray(0, 6)).toEqual(Uint8Array.of(0x30, 0x84, 0x7f, 0xff, 0xff, 0xff))
      await crl({ kind: 'huge' }, async () => {
        const { body } = await get('/fixed.crl')
        const reader = body?.getReader()
        let length = 0
        while (length < 3_000_000) length += (await reader?.read())?.value?.length ?? 0
        await reader?.cancel()
      })
    })

    test('gzip: the right content, compressed', async () => {
      const answer = await crl({ kind: 'gzip' }, () => raw(responder, '/fixed.crl'))
      expect(answer.headers['content-encoding']).toBe('gzip')
      expect(Uint8Array.from(gunzipSync(answer.body))).toEqual(octets)
    })

    test('gzip-bomb: a thousandth of what it becomes', async () => {
      const bomb = await crl({ kind: 'gzip-bomb', octets: 2 ** 25 + 5 }, () =>
        raw(responder, '/fixed.crl'),
      )
      expect(bomb.body.length).toBeLessThan(2 ** 15 + 200)
      expect(gunzipSync(bomb.body)).toHaveLength(2 ** 25 + 5)
    })

    test('wrong-type and wrong-content', async () => {
      const typed = await crl({ kind: 'wrong-type' }, () => get('/fixed.crl'))
      expect(typed.headers.get('content-type')).toBe('text/html')
      expect(await octetsOf(typed)).toEqual(octets)
      const page = await crl({ kind: 'wrong-content' }, () => get('/fixed.crl'))
      expect(page.headers.get('content-type')).toBe('application/pkix-crl')
      expect(await page.text()).toContain('<!doctype html>')
    })

    test('stale and wrong-signer: lists that only a strict client refuses', async () => {
      const right = await get('/root.crl')
      const [{ tbsCertList }, stale] = [
        await listOf(right),
        await issued({ kind: 'stale' }, () => get('/root.crl')),
      ]
      expect(stale.headers.get('etag')).not.toBe(right.headers.get('etag'))
      const { nextUpdate, thisUpdate } = (await listOf(stale)).tbsCertList
      expect(nextUpdate).toBeLessThan(tbsCertList.thisUpdate)
      expect(thisUpdate).toBeLessThan(nextUpdate as number)
      const forged = await issued({ kind: 'wrong-signer' }, async () =>
        listOf(await get('/root.crl')),
      )
      expect(forged.tbsCertList.issuer).toEqual(tbsCertList.issuer)
      expect(forged.signatureAlgorithm).toEqual(
        (await listOf(await get('/root.crl'))).signatureAlgorithm,
      )
    })

    test('a fault may be for some requests only, and stand in the route', async () => {
      const statuses = async (path: string, count: number) => {
        const seen = []
        for (let i = 0; i < count; i++) seen.push((await get(path)).status)
        return seen
      }
      responder.fail('/plain', 'status', 2)
      expect(await statuses('/plain', 3)).toEqual([500, 500, 200])
      responder.set('/born', { body: Uint8Array.of(1), fault: 'status' })
      expect(await statuses('/born', 2)).toEqual([500, 500])
      responder.heal('/born')
      expect(await statuses('/born', 1)).toEqual([200])
    })

    test.each([
      ['stale', '/plain'],
      ['wrong-signer', '/plain'],
      ['wrong-nonce', '/root.crl'],
    ] as const)('%s at %s is misuse', (kind, path) => {
      expect(() => responder.fail(path, kind)).toThrow(
        expect.objectContaining({ code: 'testing-fault-does-not-fit' }),
      )
    })

    test('a path that is none and a path that is not there are misuse', () => {
      expect(() => responder.set('plain', { body: Uint8Array.of() })).toThrow(TypeError)
      expect(() => responder.fail('/nowhere', 'slow')).toThrow(TypeError)
    })

    test('what cannot be issued answers 500 and says why', async () => {
      responder.set('/broken', { crlOf: root, options: { signatureScheme: { name: 'Ed25519' } } })
      const answer = await get('/broken')
      expect([answer.status, await answer.text()]).toEqual([
        500,
        'TypeError: cannot sign with P-256 and Ed25519 here',
      ])
    })
  })

  test('a client that leaves in the middle harms nobody', async () => {
    for (const kind of ['slow', 'drip', 'huge', 'truncated'] as const) {
      responder.fail('/root.crl', kind)
      const socket = connect(responder.port, '127.0.0.1')
      socket.write('GET /root.crl HTTP/1.1\r\nHost: a\r\n\r\n')
      await new Promise((resolve) => setTimeout(resolve, 20))
      socket.resetAndDestroy()
    }
    responder.heal('/root.crl')
    expect((await get('/root.crl')).status).toBe(200)
  })

  test('close ends what still waits, and the port can be had again', async () => {
    const own = await startResponder({
      routes: { '/a': { body: Uint8Array.of(1), fault: 'never' } },
    })
    const waiting = fetch(own.url('/a')).then(
      () => 'answered',
      () => 'ended',
    )
    await vi.waitFor(() => expect(own.requests).toHaveLength(1))
    await own.close()
    expect(await waiting).toBe('ended')
    const again = await startResponder({ port: own.port })
    expect(again.port).toBe(own.port)
    await expect(startResponder({ port: own.port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
    await again.close()
  })

  test('without node:http it cannot start, and everything else can', async () => {
    vi.stubGlobal('process', undefined)
    try {
      await expect(startResponder()).rejects.toMatchObject({ code: 'testing-needs-node' })
    } finally {
      vi.unstubAllGlobals()
    }
  })
})

async function octetsOf(response: Response): Promise<Uint8Array> {
  return new Uint8Array(await response.arrayBuffer())
}

async function listOf(response: Response): Promise<CertificateList> {
  const parsed = parseCrl(await octetsOf(response))
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.failure))
  return parsed.value
}

async function responseOf(response: Response): Promise<OcspResponse> {
  const parsed = parseOcspResponse(await octetsOf(response))
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.failure))
  return parsed.value
}

function serialNumbers({ tbsCertList }: CertificateList): readonly Uint8Array[] {
  return [...tbsCertList.revokedCertificates].map(({ serialNumber }) => serialNumber)
}

async function requestFor(
  issuer: Certificate,
  certificate: Certificate,
  hash: 'SHA-1' | 'SHA-256' = 'SHA-1',
  nonce?: Uint8Array,
): Promise<Uint8Array> {
  const digest = async (octets: Uint8Array) =>
    new Uint8Array(await crypto.subtle.digest(hash, octets as BufferSource))
  const { subject, subjectPublicKeyInfo } = issuer.tbsCertificate
  return writeOcspRequest({
    hash,
    issuerNameHash: await digest(subject.der),
    issuerKeyHash: await digest(subjectPublicKeyInfo.der.subarray(-65)),
    serialNumber: certificate.tbsCertificate.serialNumber,
    nonce,
  })
}

async function isSigned(
  { basic }: OcspResponse,
  { tbsCertificate }: Certificate,
): Promise<boolean> {
  if (basic === undefined) return false
  const { verify } = await import('node:crypto')
  const key = Buffer.from(tbsCertificate.subjectPublicKeyInfo.der)
  return verify(
    'sha256',
    basic.tbsResponseData,
    { key, format: 'der', type: 'spki' },
    basic.signature,
  )
}

/** Without decompression. */
function raw(
  responder: Responder,
  path: string,
): Promise<{ headers: { readonly 'content-encoding'?: string | undefined }; body: Buffer }> {
  return new Promise((resolve, reject) => {
    request(responder.url(path), (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => resolve({ headers: response.headers, body: Buffer.concat(chunks) }))
    })
      .on('error', reject)
      .end()
  })
}
