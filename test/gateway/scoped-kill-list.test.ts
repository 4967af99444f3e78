/** Two kill lists asked as one: whatever is said of one list holds of either. */
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { prepareOptions } from '../../src/client/options.ts'
import { validateSteps } from '../../src/client/validate.ts'
import { runSync } from '../../src/effect/effect.ts'
import { ScopedKillList } from '../../src/gateway/scoped-kill-list.ts'
import { parseTrustAnchors, type Verdict } from '../../src/index.ts'
import { createKillList, type KillList } from '../../src/revocation.ts'
import { nodeHandlers } from '../../src/runtime/node.ts'
import { createClientCertificateValidatorSync } from '../../src/sync.ts'
import { createPki, testTime } from '../../src/testing/index.ts'
import { at } from '../client/support.ts'

const pki = await createPki()
const { client, issuing } = pki
const other = await issuing.issue('other', { key: 'P-256#7' })
const spkiSha256 = createHash('sha256')
  .update(other.tbsCertificate.subjectPublicKeyInfo.der)
  .digest('hex')
const trustAnchors = parseTrustAnchors(pki.anchorsPem)
const code = (verdict: Verdict) => (verdict.ok ? 'ok' : verdict.failure.code)

function start(killList: KillList) {
  const options = { trustAnchors, intermediates: issuing, killList }
  const validator = createClientCertificateValidatorSync(options)
  return (seconds: number) => validator.validate(client.der, { time: at(seconds) })
}

describe.each(['project', 'proxy'] as const)('an entry of the %s', (whose) => {
  function lists() {
    const ofProject = createKillList()
    const both = new ScopedKillList(ofProject)
    return { both, ofProject, list: whose === 'project' ? ofProject : both }
  }

  test('counts where the other list has none', () => {
    const { both, list } = lists()
    const validate = start(both)
    expect(code(validate(0))).toBe('ok')
    const id = list.add({ certificate: client })
    expect(code(validate(0))).toBe('certificate-killed')
    list.remove(id)
    expect(code(validate(0))).toBe('ok')
  })

  test('whose time is over lets no verdict of later count for the time before', () => {
    const { both, list } = lists()
    const validate = start(both)
    list.add({ certificate: client, expires: at(5) })
    expect(code(validate(5))).toBe('certificate-killed')
    expect(validate(6)).toMatchObject({ ok: true, validFrom: at(6) })
    expect(code(validate(5))).toBe('certificate-killed')
  })

  test('whose time is over ends none of the other list', () => {
    const { both, ofProject, list } = lists()
    list.add({ certificate: client, expires: at(5) })
    const longer = list === both ? ofProject : both
    longer.add({ certificate: client, expires: at(9) })
    const validate = start(both)
    expect(code(validate(9))).toBe('certificate-killed')
    expect(validate(10)).toMatchObject({ ok: true, validFrom: at(10) })
  })

  /** @param moment - Number of the digest with whose question the entry comes. */
  function judgeWhileItComes(moment: number) {
    const { both, ofProject, list } = lists()
    // So that each list asks for digests, and the entry may come between two questions.
    ofProject.add({ spkiSha256 })
    both.add({ spkiSha256 })
    const options = { trustAnchors, intermediates: issuing, killList: both }
    const handlers = nodeHandlers()
    let digests = 0
    const verdict = runSync(validateSteps(client.der, prepareOptions(options), testTime), {
      ...handlers,
      digest: (effect) => {
        if (digests++ === moment) list.add({ certificate: client })
        return handlers.digest(effect)
      },
    })
    return { digests, code: code(verdict) }
  }

  test('counts at whatever moment of a validation it comes', () => {
    const { digests, code } = judgeWhileItComes(Number.POSITIVE_INFINITY)
    // Of each list: the keys of the client, its issuer and the anchor.
    expect([digests, code]).toEqual([6, 'ok'])
    for (let moment = 0; moment < digests; moment++) {
      expect([moment, judgeWhileItComes(moment).code]).toEqual([moment, 'certificate-killed'])
    }
  })
})
