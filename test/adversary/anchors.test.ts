import { expect, test } from 'vitest'
import { parseTrustAnchors, validateClientCertificateSync } from '../../src/sync.ts'
import { issueCa, testTime } from '../../src/testing/index.ts'

test('an anchor that is given twice, once with constraints, is trusted without them in either order', async () => {
  const root = await issueCa('Root CA')
  const sub = await root.issueCa('Sub CA')
  const client = await sub.issue('client-a')
  const constrained = { certificate: root, constraints: { pathLenConstraint: 0 } }
  const judge = (...anchors: Parameters<typeof parseTrustAnchors>[0][]) =>
    validateClientCertificateSync(client.chainPem, {
      trustAnchors: parseTrustAnchors(anchors as Parameters<typeof parseTrustAnchors>[0]),
      time: new Date(testTime * 1000),
    })
  const alone = judge(constrained)
  expect(!alone.ok && alone.failure.code).toBe('path-length-exceeded')
  for (const verdict of [judge(constrained, root), judge(root, constrained)]) {
    expect(verdict.ok && verdict.verified && verdict.anchor.constraints).toBeUndefined()
    expect(verdict.ok).toBe(true)
  }
})
