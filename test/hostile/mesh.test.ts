import { describe, expect, test } from 'vitest'
import { parseIntermediates } from '../../src/client/intermediates.ts'
import { parseTrustAnchors } from '../../src/client/trust-anchors.ts'
import { poolKey } from '../../src/testing/keys.ts'
import { forge } from '../property/forge.ts'
import {
  anchorName,
  identifier,
  type Kind,
  mesh,
  meshName,
  publicKey,
  unsigned,
} from './attacks.ts'
import { work } from './work.ts'

const kinds: readonly Kind[] = ['P-256', 'P-521', 'RSA-8192']
const cases = kinds.flatMap((kind) =>
  (['absent', 'matching'] as const).flatMap((identifiers) =>
    (['one name', 'two names', 'star'] as const).flatMap((shape) =>
      (['presented', 'given'] as const).map((where) => ({ kind, identifiers, shape, where })),
    ),
  ),
)

describe('200 CAs of one name that may all have issued each other', () => {
  test.each(cases)(
    '$kind keys, key identifiers $identifiers, $shape, $where: within budget and 250 ms',
    ({ kind, identifiers, shape, where }) => {
      const cas = mesh(kind, 200, identifiers, shape)
      // Where the anchor has the name too, every one of them ends a whole path.
      const anchorKey = poolKey(kind, 0)
      const name = shape === 'star' ? anchorName : meshName(0)
      const anchor = forge(
        {
          basicConstraints: { cA: true },
          keyUsage: ['keyCertSign'],
          subject: name,
          issuer: name,
          key: anchorKey,
          ...(identifiers === 'matching' ? { subjectKeyIdentifier: identifier } : {}),
        },
        anchorKey,
      )
      const target = unsigned(
        {
          subject: 'CN=client-a',
          issuer: meshName(0),
          keyUsage: ['digitalSignature'],
          subjectPublicKeyInfo: publicKey('P-256', 1_000),
          ...(identifiers === 'matching'
            ? { authorityKeyIdentifier: { keyIdentifier: identifier } }
            : {}),
        },
        kind,
      )
      const trustAnchors = parseTrustAnchors(anchor)
      const spent =
        where === 'presented'
          ? work([target, ...cas.slice(0, 99)], { trustAnchors })
          : work([target], { trustAnchors, intermediates: parseIntermediates(cas) })
      const failure = spent.verdict.ok ? undefined : spent.verdict.failure
      // A star of 99 is searched to its end where 99 checks fit into the budget.
      expect(failure?.code).toMatch(/^(budget-exhausted|signature-invalid)$/)
      expect(spent.signatures).toBeLessThanOrEqual(100)
      expect(spent.milliseconds).toBeLessThanOrEqual(250)
      expect(spent.megabytes).toBeLessThanOrEqual(64)
    },
  )
})
