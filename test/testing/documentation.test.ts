import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  createPki,
  issueCa,
  issueVariant,
  type ResponderFault,
  variantNames,
  variants,
} from '../../src/testing/index.ts'

const documentation = readFileSync(new URL('../../docs/testing.md', import.meta.url), 'utf8')

describe('docs/testing.md', () => {
  test('its examples run', async () => {
    const root = await issueCa('Root CA')
    const issuing = await root.issueCa('Issuing CA', {
      basicConstraints: { cA: true, pathLenConstraint: 0 },
    })
    const client = await issuing.issue('client-a', {
      subjectAltName: [{ uri: 'spiffe://example.org/client-a' }],
    })
    expect(client.chain).toHaveLength(2)

    const { anchorsPem, chainPem, clientKeyPem } = await createPki({ organization: 'Example' })
    expect([anchorsPem, chainPem, clientKeyPem].every((pem) => pem.startsWith('-----BEGIN '))).toBe(
      true,
    )

    await issuing.issue('client-a', {
      key: 'RSA-3072', // or P-256 P-384 P-521 Ed25519 Ed448 RSA-1024 … DSA-2048 secp256k1, 'P-256#7', a key of yours
      subject: 'CN=client-a,O=Example,C=DE', // RFC 4514, or a list that names the string types
      notAfter: new Date('2021-01-01T00:00:00Z'),
      keyUsage: ['keyEncipherment'],
      extendedKeyUsage: 'absent',
      certificatePolicies: ['1.2.3', { policy: '1.2.4', cps: 'https://example.org/cps' }],
      criticality: { certificatePolicies: true },
      rawExtensions: [{ oid: '1.3.6.1.4.1.32473.1', critical: true, value: Uint8Array.of(5, 0) }],
    })

    const other = await issueCa('Other CA')
    const bridge = await root.crossSign(other) // the name and the key of `other`, signed by `root`
    expect(bridge.chain).toHaveLength(1 + root.chain.length)
  })

  test('its examples are those that run here', () => {
    const here = squeeze(readFileSync(new URL(import.meta.url), 'utf8'))
    const blocks = [...documentation.matchAll(/```ts\n(.*?)```/gs)].map(([, code = '']) => code)
    // What prints is run and compared where all pages are.
    const ours = blocks.filter((code) => !/from 'mtls-policy'|for \(|console\.log/.test(code))
    expect(ours).toHaveLength(4)
    for (const code of ours) expect(here).toContain(squeeze(code.replace(/^import .*\n/gm, '')))
  })

  test('its table has every variant with its verdict, and a verdict can be had for each', async () => {
    const rows = variantNames.map((name) => {
      const { description, expected } = variants[name]
      return `| \`${name}\` | ${description} | ${expected.ok ? 'accepted' : `\`${expected.code}\``} |`
    })
    expect(documentation).toContain(rows.join('\n'))
    for (const name of variantNames.slice(0, 3)) {
      const { client, expected } = await issueVariant(name)
      expect(expected.ok).toBe(true)
      expect(client.privateKeyPem).toContain('PRIVATE KEY')
    }
  })
})

describe('the responder in docs/testing.md', () => {
  /** The compiler sees to it that none is missing. */
  const settings: { readonly [K in ResponderFault['kind']]: readonly string[] } = {
    slow: ['milliseconds'],
    drip: ['milliseconds'],
    never: [],
    reset: [],
    truncated: [],
    status: ['status', 'retryAfter'],
    'not-modified': [],
    redirect: ['to', 'status'],
    huge: ['octets'],
    gzip: [],
    'gzip-bomb': ['octets'],
    'wrong-type': ['contentType'],
    'wrong-content': [],
    stale: [],
    'wrong-signer': [],
    'wrong-nonce': [],
  }

  test('its table has every fault in the order of the type, with its settings', () => {
    const [, table = ''] = documentation.split('| fault | what happens | settings |\n')
    const rows = [...table.split('\n\n', 1)[0]!.matchAll(/^\| `([\w-]+)` \|.*\|(.*)\|$/gm)]
    expect(rows.map(([, kind]) => kind)).toEqual(Object.keys(settings))
    for (const [, kind, text = ''] of rows) {
      for (const setting of settings[kind as ResponderFault['kind']]) {
        expect(text).toContain(`\`${setting}\``)
      }
    }
  })
})

/** White space and trailing commas are the formatter's. */
function squeeze(code: string): string {
  return code.replace(/\s+/g, '').replace(/,([)}\]])/g, '$1')
}
