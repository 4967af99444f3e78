import { describe, expect, test } from 'vitest'
import { prepareOptions } from '../../src/client/options.ts'
import { validateSteps } from '../../src/client/validate.ts'
import { runSync } from '../../src/effect/effect.ts'
import { nodeHandlers } from '../../src/runtime/node.ts'
import {
  parseIntermediates,
  parseTrustAnchors,
  type ValidateOptionsSync,
  validateClientCertificateSync,
} from '../../src/sync.ts'
import { issueCa, testTime } from '../../src/testing/index.ts'

describe('a pool of CA certificates', async () => {
  const root = await issueCa('Root CA')
  const issuing = await root.issueCa('Issuing CA')
  const client = await issuing.issue('client')

  /** The signatures that are asked for: of the client (not memorable) and of CA certificates. */
  function ask(options: ValidateOptionsSync): readonly boolean[] {
    const memorable: boolean[] = []
    const handlers = nodeHandlers()
    const verdict = runSync(validateSteps(client.der, prepareOptions(options), testTime), {
      ...handlers,
      verifySignature: (question) => {
        memorable.push(question.memorable)
        return handlers.verifySignature(question)
      },
    })
    expect(verdict).toMatchObject({ ok: true })
    return memorable
  }

  test('checks the signature of a member once under one anchor', () => {
    const trustAnchors = parseTrustAnchors(root)
    const intermediates = parseIntermediates(issuing)
    expect(ask({ trustAnchors, intermediates })).toEqual([false, true])
    expect(ask({ trustAnchors, intermediates })).toEqual([false])
    // The same anchor, read again, is another one: nothing is known under it.
    expect(ask({ trustAnchors: parseTrustAnchors(root.der), intermediates })).toEqual([false, true])
  })

  test('asks the algorithm policy every time, whatever was checked before', async () => {
    const anchor = await issueCa('RSA Root', { key: 'RSA-2048' })
    const weak = await anchor.issueCa('SHA-1 CA', {
      signatureScheme: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-1' },
    })
    const target = await weak.issue('client')
    const pool = {
      trustAnchors: parseTrustAnchors(anchor),
      intermediates: parseIntermediates(weak),
      time: new Date(testTime * 1000),
    }
    const judge = (options: Partial<ValidateOptionsSync>) => {
      const verdict = validateClientCertificateSync(target, {
        ...pool,
        ...options,
      } as ValidateOptionsSync)
      return verdict.ok ? 'accepted' : verdict.failure.code
    }
    const loose = { algorithms: { dangerouslyAllowSha1: true } }
    expect([judge(loose), judge({}), judge(loose)]).toEqual([
      'accepted',
      'signature-algorithm-weak',
      'accepted',
    ])
  })

  test('a verdict does not change with the buffer that was judged', () => {
    const buffer = new Uint8Array(client.der)
    const options = {
      trustAnchors: parseTrustAnchors(root),
      intermediates: parseIntermediates(issuing),
      time: new Date(testTime * 1000),
    }
    const expected = JSON.stringify(validateClientCertificateSync(client.der, options))
    const verdict = validateClientCertificateSync(buffer, options)
    buffer.fill(0)
    expect(JSON.stringify(verdict)).toBe(expected)
  })

  test('does not change with the buffer that it was read from', () => {
    const buffer = new Uint8Array(issuing.der)
    const intermediates = parseIntermediates(buffer)
    const trustAnchors = parseTrustAnchors(root)
    buffer.fill(0)
    expect(ask({ trustAnchors, intermediates })).toEqual([false, true])
  })
})
