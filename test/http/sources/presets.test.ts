/** Each preset: the proxy's true form is accepted, and every trap of it is refused by its own code. @module */
import { beforeAll, describe, expect, test } from 'vitest'
import { sha256 } from '../../../src/http/headers/sha256.ts'
import type { ClientCertificateSource } from '../../../src/http/source.ts'
import {
  akamai,
  albPassthrough,
  albVerify,
  apache,
  azureApplicationGateway,
  azureAppService,
  caddy,
  cloudFront,
  cloudflare,
  googleCloud,
  gravitee,
  haproxy,
  ingressNginx,
  kong,
  nginx,
  rfc9440,
  traefik,
} from '../../../src/http/sources/index.ts'
import {
  awsPem,
  base64,
  type Chain,
  connectionFrom,
  failureOf,
  hex,
  issueChain,
  joined,
  outcomeOf,
  pemOf,
  percentPem,
  requestWith,
  sfBinary,
  sfList,
  spacedPem,
  trust,
} from '../support.ts'

type Lines = readonly (readonly [string, string])[] | Readonly<Record<string, string>>
type Outcome = string | readonly Uint8Array[]
type Row = readonly [what: string, headers: Lines, outcome: Outcome]

let chain: Chain
beforeAll(async () => {
  chain = await issueChain()
})

/** Rows are made when the certificates are there. */
function cases(source: ClientCertificateSource, rows: () => readonly Row[]): void {
  test.each(rowTitles(rows))('%s', (_what, index) => {
    const [, headers, expected] = rows()[index] as Row
    const wanted = typeof expected === 'string' ? expected : expected.map(hex)
    expect(outcomeOf(source.read(requestWith(headers)))).toEqual(wanted)
  })
  test('from an untrusted address it is nobody', () => {
    for (const [, headers] of rows()) {
      const found = source.read(requestWith(headers, connectionFrom('192.0.2.1')))
      expect(['proxy-not-trusted', 'absent']).toContain(outcomeOf(found))
    }
  })
}

const none = new Uint8Array()
function rowTitles(rows: () => readonly Row[]): readonly (readonly [string, number])[] {
  const before = chain
  chain = { root: none, issuing: none, other: none, leaf: none } as unknown as Chain
  const titles = rows().map(([what], index) => [what, index] as const)
  chain = before
  return titles
}

describe('RFC 9440', () => {
  cases(rfc9440({ trust }), () => {
    const leaf = sfBinary(chain.leaf)
    return [
      ['the leaf alone', { 'Client-Cert': leaf }, [chain.leaf]],
      [
        'with its chain',
        { 'Client-Cert': leaf, 'Client-Cert-Chain': sfList(chain.issuing, chain.root) },
        [chain.leaf, chain.issuing, chain.root],
      ],
      [
        '§2.3: a chain in several lines',
        [
          ['client-cert-chain', sfBinary(chain.issuing)],
          ['client-cert', leaf],
          ['client-cert-chain', `${sfBinary(chain.root)};a=1`],
        ],
        [chain.leaf, chain.issuing, chain.root],
      ],
      ['an empty chain', { 'Client-Cert': leaf, 'Client-Cert-Chain': '' }, [chain.leaf]],
      ['no header', {}, 'absent'],
      ['an empty leaf', { 'Client-Cert': '' }, 'header-malformed'],
      ['an empty byte sequence', { 'Client-Cert': '::' }, 'header-malformed'],
      ['a leaf without colons', { 'Client-Cert': base64(chain.leaf) }, 'header-malformed'],
      [
        'two lines',
        [
          ['Client-Cert', leaf],
          ['client-cert', leaf],
        ],
        'header-repeated',
      ],
      ['two in one line', { 'Client-Cert': `${leaf}, ${leaf}` }, 'header-repeated'],
      ['a twin', { 'Client-Cert': leaf, Client_Cert: leaf }, 'header-twin'],
      ['a twin of the chain alone', { Client_Cert_Chain: leaf }, 'header-twin'],
      ['a chain without a leaf', { 'Client-Cert-Chain': leaf }, 'headers-contradict'],
      [
        'a chain that is none',
        { 'Client-Cert': leaf, 'Client-Cert-Chain': 'x' },
        'header-malformed',
      ],
      [
        'a chain with a comma at the end of a line',
        [
          ['Client-Cert', leaf],
          ['Client-Cert-Chain', `${leaf},`],
          ['Client-Cert-Chain', leaf],
        ],
        'header-malformed',
      ],
      [
        'eleven in the chain',
        { 'Client-Cert': leaf, 'Client-Cert-Chain': Array(11).fill(leaf).join(',') },
        'header-too-many-certificates',
      ],
      [
        'a chain of many lines beyond 64 KiB',
        [['Client-Cert', leaf], ...Array(1000).fill(['Client-Cert-Chain', 'x'.repeat(66)])],
        'header-too-large',
      ],
      ['a leaf beyond 64 KiB', { 'Client-Cert': `:${'A'.repeat(65_536)}:` }, 'header-too-large'],
      ['a line feed', { 'Client-Cert': `${leaf}\n` }, 'header-malformed'],
    ]
  })
})

const nginxRows =
  (certificate: string, verify: string): (() => readonly Row[]) =>
  () => {
    const leaf = percentPem(chain.leaf)
    return [
      ['a good certificate', { [certificate]: leaf, [verify]: 'SUCCESS' }, [chain.leaf]],
      [
        'with / left alone',
        { [certificate]: leaf.replaceAll('%2F', '/'), [verify]: 'SUCCESS' },
        [chain.leaf],
      ],
      ['no certificate: no line', { [verify]: 'NONE' }, 'absent'],
      ['no certificate: an empty line', { [certificate]: '', [verify]: 'NONE' }, 'absent'],
      [
        'an expired one',
        { [certificate]: leaf, [verify]: 'FAILED:certificate has expired' },
        'proxy-refused',
      ],
      ['one that failed and is not there', { [verify]: 'FAILED:x' }, 'proxy-refused'],
      ['no verdict', { [certificate]: leaf }, 'header-missing'],
      ['neither', {}, 'header-missing'],
      ['success without a certificate', { [verify]: 'SUCCESS' }, 'headers-contradict'],
      [
        'a certificate beside NONE',
        { [certificate]: leaf, [verify]: 'NONE' },
        'headers-contradict',
      ],
      ['another case', { [certificate]: leaf, [verify]: 'Success' }, 'proxy-refused'],
      ['an empty verdict', { [certificate]: leaf, [verify]: '' }, 'proxy-refused'],
      ['a longer verdict', { [certificate]: leaf, [verify]: 'SUCCESS ' }, 'proxy-refused'],
      [
        'a joined verdict',
        { [certificate]: leaf, [verify]: 'FAILED:x, SUCCESS' },
        'header-repeated',
      ],
      [
        'a verdict twice',
        [
          [certificate, leaf],
          [verify, 'SUCCESS'],
          [verify, 'SUCCESS'],
        ],
        'header-repeated',
      ],
      [
        'a certificate twice',
        [
          [certificate, leaf],
          [certificate, leaf],
          [verify, 'SUCCESS'],
        ],
        'header-repeated',
      ],
      [
        'a joined certificate',
        { [certificate]: `${leaf}, ${leaf}`, [verify]: 'SUCCESS' },
        'header-repeated',
      ],
      [
        'a twin of the certificate',
        { [certificate.replace('-', '_')]: leaf, [certificate]: leaf, [verify]: 'SUCCESS' },
        'header-twin',
      ],
      [
        'a twin of the verdict',
        { [certificate]: leaf, [verify]: 'SUCCESS', [verify.replaceAll('-', '_')]: 'NONE' },
        'header-twin',
      ],
      [
        'two certificates',
        { [certificate]: percentPem(chain.leaf, chain.issuing), [verify]: 'SUCCESS' },
        'header-malformed',
      ],
      [
        '$ssl_client_cert',
        { [certificate]: pemOf(chain.leaf).trim().replaceAll('\n', '\t'), [verify]: 'SUCCESS' },
        'header-malformed',
      ],
      [
        '+ for spaces',
        { [certificate]: leaf.replaceAll('%20', '+'), [verify]: 'SUCCESS' },
        'header-malformed',
      ],
    ]
  }

describe('nginx', () => {
  cases(nginx({ trust }), nginxRows('X-SSL-Client-Cert', 'X-SSL-Client-Verify'))
  describe('with other headers', () => {
    const source = nginx({ trust, header: 'X-Cert', verdictHeader: 'X-Ok' })
    cases(source, nginxRows('X-Cert', 'X-Ok'))
  })
  test('its word in a failure is short and printable', () => {
    const verdict = `FAILED:\u00e9${'x'.repeat(200)}`
    const found = nginx({ trust }).read(requestWith({ 'X-SSL-Client-Verify': verdict }))
    expect(failureOf(found)).toEqual({
      code: 'proxy-refused',
      header: 'x-ssl-client-verify',
      verdict: `FAILED:?${'x'.repeat(92)}`,
    })
  })
  describe('whose verdict is ignored', () => {
    cases(nginx({ trust, proxyVerdict: 'ignored' }), () => {
      const leaf = percentPem(chain.leaf)
      return [
        [
          'a foreign CA',
          { 'X-SSL-Client-Cert': leaf, 'X-SSL-Client-Verify': 'FAILED:x' },
          [chain.leaf],
        ],
        ['no verdict', { 'X-SSL-Client-Cert': leaf }, [chain.leaf]],
        ['success alone', { 'X-SSL-Client-Verify': 'SUCCESS' }, 'absent'],
        ['nothing', {}, 'absent'],
      ]
    })
    test('still takes the header away', () => {
      const { headers } = nginx({ trust, proxyVerdict: 'ignored' })
      expect(headers).toEqual(['x-ssl-client-cert', 'x-ssl-client-verify'])
    })
  })
})

describe('ingress-nginx', () => {
  cases(ingressNginx({ trust }), nginxRows('ssl-client-cert', 'ssl-client-verify'))
  describe('with names alone', () => {
    const names = {
      'ssl-client-subject-dn': 'CN=client-a',
      'ssl-client-issuer-dn': 'CN=Issuing CA',
    }
    cases(ingressNginx({ trust }), () => [
      ['and success', { 'ssl-client-verify': 'SUCCESS', ...names }, 'identity-only'],
      ['and NONE', { 'ssl-client-verify': 'NONE', ...names }, 'headers-contradict'],
      ['and a failure', { 'ssl-client-verify': 'FAILED:x', ...names }, 'proxy-refused'],
      ['and no verdict', names, 'header-missing'],
    ])
    test('asserts them where that was asked for', () => {
      const source = ingressNginx({ trust, assertedIdentity: true })
      const found = source.read(requestWith({ 'ssl-client-verify': 'SUCCESS', ...names }))
      expect(found).toEqual({
        kind: 'asserted',
        identity: {
          asserted: true,
          by: 'ingress-nginx',
          subject: 'CN=client-a',
          issuer: 'CN=Issuing CA',
        },
      })
    })
    test('asserts nothing on the word of a proxy whose verdict is ignored', () => {
      expect(() =>
        ingressNginx({ trust, assertedIdentity: true, proxyVerdict: 'ignored' }),
      ).toThrow(expect.objectContaining({ code: 'options-conflict' }))
    })
  })
})

describe('HAProxy', () => {
  const lines = (leaf: string, links: string, verify: string, used: string) => ({
    'x-ssl-client-cert': leaf,
    'x-ssl-client-chain': links,
    'x-ssl-client-verify': verify,
    'x-ssl-client-used': used,
  })
  const less = (headers: Readonly<Record<string, string>>, name: string) =>
    Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name))
  cases(haproxy({ trust }), () => {
    const leaf = base64(chain.leaf)
    const links = base64(joined([chain.issuing, chain.root]))
    const good = lines(leaf, links, '0', '1')
    return [
      ['a good certificate', good, [chain.leaf, chain.issuing, chain.root]],
      ['a resumed session: no chain', lines(leaf, '', '0', '1'), [chain.leaf]],
      ['no certificate', lines('', '', '0', '0'), 'absent'],
      ['an expired one', lines(leaf, links, '10', '1'), 'proxy-refused'],
      ['a foreign CA', lines(leaf, '', '21', '1'), 'proxy-refused'],
      [
        'one that is too large for the buffer',
        lines('', links, '0', '1'),
        'proxy-omitted-certificate',
      ],
      [
        'one that is too large, without a chain',
        lines('', '', '0', '1'),
        'proxy-omitted-certificate',
      ],
      ['a chain without a certificate', lines('', links, '0', '0'), 'headers-contradict'],
      ['a certificate that was not used', lines(leaf, links, '0', '0'), 'headers-contradict'],
      ['no line of the certificate', less(good, 'x-ssl-client-cert'), 'header-missing'],
      ['no verdict', less(good, 'x-ssl-client-verify'), 'header-missing'],
      ['no word of its use', less(good, 'x-ssl-client-used'), 'header-missing'],
      ['no line of a chain', less(good, 'x-ssl-client-chain'), [chain.leaf]],
      ['nothing', {}, 'header-missing'],
      ['an empty verdict', lines(leaf, links, '', '1'), 'proxy-refused'],
      ['another zero', lines(leaf, links, '00', '1'), 'proxy-refused'],
      ['a joined verdict', lines(leaf, links, '0, 0', '1'), 'header-repeated'],
      ['a word that is no flag', lines(leaf, links, '0', 'true'), 'header-malformed'],
      ['an empty flag', lines(leaf, links, '0', ''), 'header-malformed'],
      ['a joined flag', lines(leaf, links, '0', '0,1'), 'header-repeated'],
      ['quoted values', lines(`"${leaf}"`, links, '0', '1'), 'header-malformed'],
      ['a joined certificate', lines(`${leaf},${leaf}`, links, '0', '1'), 'header-repeated'],
      ['a chain that is cut off', lines(leaf, links.slice(0, -8), '0', '1'), 'header-malformed'],
      ['a chain that is joined', lines(leaf, `${links},${links}`, '0', '1'), 'header-repeated'],
      [
        'a chain twice',
        [...Object.entries(good), ['X-SSL-Client-Chain', links]],
        'header-repeated',
      ],
      ['a twin of the flag', { ...good, x_ssl_client_used: '1' }, 'header-twin'],
    ]
  })
  describe('whose verdict is ignored', () => {
    cases(haproxy({ trust, proxyVerdict: 'ignored' }), () => [
      ['a foreign CA', lines(base64(chain.leaf), '', '21', '1'), [chain.leaf]],
      ['no certificate', lines('', '', '0', '0'), 'absent'],
      ['one that is too large', lines('', '', '0', '1'), 'proxy-omitted-certificate'],
    ])
  })
})

describe('Apache httpd', () => {
  const unset = '(null)'
  const lines = (leaf: string, verify: string, ...links: readonly string[]) => ({
    'X-SSL-Client-Cert': leaf,
    'X-SSL-Client-Verify': verify,
    ...Object.fromEntries(
      [0, 1, 2, 3].map((at) => [`X-SSL-Client-Chain-${at}`, links[at] ?? unset]),
    ),
  })
  cases(apache({ trust }), () => {
    const [leaf, issuing, root] = [chain.leaf, chain.issuing, chain.root].map(spacedPem) as [
      string,
      string,
      string,
    ]
    const verify = { 'X-SSL-Client-Verify': 'SUCCESS' }
    return [
      [
        'a good certificate',
        lines(leaf, 'SUCCESS', issuing, root),
        [chain.leaf, chain.issuing, chain.root],
      ],
      ['without a chain', lines(leaf, 'SUCCESS'), [chain.leaf]],
      ['without lines of a chain', { 'X-SSL-Client-Cert': leaf, ...verify }, [chain.leaf]],
      ['no certificate', lines(unset, 'NONE'), 'absent'],
      ['no certificate, empty', lines('', 'NONE', '', '', '', ''), 'absent'],
      [
        'a foreign CA',
        lines(leaf, 'FAILED:unable to verify the first certificate'),
        'proxy-refused',
      ],
      ['one that httpd let in unseen', lines(leaf, 'GENEROUS'), 'proxy-refused'],
      ['success of nobody', lines(unset, 'SUCCESS'), 'headers-contradict'],
      ['NONE of somebody', lines(leaf, 'NONE'), 'headers-contradict'],
      ['(null) as a verdict', lines(leaf, unset), 'proxy-refused'],
      ['a verdict that Connection took away', { 'X-SSL-Client-Cert': leaf }, 'header-missing'],
      ['a certificate that Connection took away', verify, 'header-missing'],
      ['a joined verdict', lines(leaf, 'SUCCESS, NONE'), 'header-repeated'],
      ['a verdict joined by somebody', lines(leaf, 'SUCCESS, FAILED:x'), 'header-repeated'],
      ['a joined certificate', lines(`${leaf}, ${leaf}`, 'SUCCESS'), 'header-repeated'],
      [
        'a certificate joined with (null)',
        lines(`${leaf}, ${unset}`, 'SUCCESS'),
        'header-repeated',
      ],
      [
        'a forged certificate joined with none',
        lines(`${leaf}, ${unset}`, 'NONE'),
        'headers-contradict',
      ],
      [
        'a forged end of the chain',
        lines(leaf, 'SUCCESS', issuing, unset, unset, root),
        'headers-contradict',
      ],
      ['a forged chain of nobody', lines(unset, 'NONE', issuing), 'headers-contradict'],
      ['a joined chain', lines(leaf, 'SUCCESS', `${issuing}, ${unset}`), 'header-repeated'],
      ['newlines as they were', lines(pemOf(chain.leaf).trim(), 'SUCCESS'), 'header-malformed'],
      ['a twin', { ...lines(leaf, 'SUCCESS'), X_SSL_CLIENT_VERIFY: 'SUCCESS' }, 'header-twin'],
      [
        'a twin of the chain',
        { ...lines(leaf, 'SUCCESS'), 'X-SSL-Client-Chain_3': root },
        'header-twin',
      ],
    ]
  })
  describe('whose verdict is ignored, for CAs that it does not know', () => {
    cases(apache({ trust, proxyVerdict: 'ignored' }), () => [
      ['GENEROUS', lines(spacedPem(chain.leaf), 'GENEROUS'), [chain.leaf]],
      ['nobody', lines(unset, 'SUCCESS'), 'absent'],
    ])
  })
  describe('with the names of its variables', () => {
    const source = apache({
      trust,
      header: 'SSL_CLIENT_CERT',
      verdictHeader: 'SSL_CLIENT_VERIFY',
      chainHeaders: ['SSL_CLIENT_CERT_CHAIN_0'],
    })
    cases(source, () => {
      const leaf = spacedPem(chain.leaf)
      return [
        ['a good one', { SSL_CLIENT_CERT: leaf, SSL_CLIENT_VERIFY: 'SUCCESS' }, [chain.leaf]],
        [
          'a twin with dashes',
          { SSL_CLIENT_CERT: leaf, SSL_CLIENT_VERIFY: 'SUCCESS', 'SSL-Client-Cert': leaf },
          'header-twin',
        ],
      ]
    })
  })
})

describe('Caddy', () => {
  const header = 'X-Client-Cert'
  cases(caddy({ trust }), () => [
    ['a certificate', { [header]: base64(chain.leaf) }, [chain.leaf]],
    [
      'none: the text of the placeholder',
      { [header]: '{http.request.tls.client.certificate_der_base64}' },
      'absent',
    ],
    ['none: the empty value of the snippet', { [header]: '' }, 'absent'],
    ['no line at all', {}, 'header-missing'],
    [
      'another placeholder',
      { [header]: '{http.request.tls.client.certificate_pem}' },
      'header-malformed',
    ],
    [
      'two lines',
      [
        [header, base64(chain.leaf)],
        [header, ''],
      ],
      'header-repeated',
    ],
    [
      'two in one line',
      { [header]: `${base64(chain.leaf)}, ${base64(chain.leaf)}` },
      'header-repeated',
    ],
    ['a twin', { [header]: base64(chain.leaf), 'X_Client-Cert': 'x' }, 'header-twin'],
    ['PEM', { [header]: spacedPem(chain.leaf) }, 'header-malformed'],
    ['a damaged one', { [header]: base64(chain.leaf).slice(4) }, 'header-malformed'],
  ])
})

describe('Traefik', () => {
  const header = 'X-Forwarded-Tls-Client-Cert'
  cases(traefik({ trust }), () => {
    const list = [chain.leaf, chain.issuing].map(base64).join(',')
    return [
      ['a certificate', { [header]: base64(chain.leaf) }, [chain.leaf]],
      ['with its chain', { [header]: list }, [chain.leaf, chain.issuing]],
      ['escaped, as 2.8 did', { [header]: encodeURIComponent(list) }, [chain.leaf, chain.issuing]],
      ['none', {}, 'absent'],
      ['empty', { [header]: '' }, 'absent'],
      [
        'two lines',
        [
          [header, list],
          [header, list],
        ],
        'header-repeated',
      ],
      ['two lines joined', { [header]: `${list}, ${list}` }, 'header-repeated'],
      ['a damaged second one', { [header]: `${list}A` }, 'header-malformed'],
      [
        'eleven',
        { [header]: Array(11).fill(base64(chain.leaf)).join(',') },
        'header-too-many-certificates',
      ],
      ['a twin', { X_Forwarded_Tls_Client_Cert: list }, 'header-twin'],
    ]
  })
  test('the other header of Traefik goes as well', () => {
    expect(traefik({ trust }).headers).toContain('x-forwarded-tls-client-cert-info')
  })
})

describe('AWS Application Load Balancer', () => {
  const prefix = 'X-Amzn-Mtls-Clientcert'
  const names = {
    [`${prefix}-Serial-Number`]: '03A5B1',
    [`${prefix}-Issuer`]: 'CN=Issuing CA',
    [`${prefix}-Subject`]: 'CN=client-a',
    [`${prefix}-Validity`]: 'NotBefore=2023-09-21T01:50:17Z;NotAfter=2024-09-20T01:50:17Z',
  }
  describe('verify', () => {
    cases(albVerify({ trust }), () => [
      ['a certificate', { ...names, [`${prefix}-Leaf`]: awsPem(chain.leaf) }, [chain.leaf]],
      ['none', {}, 'absent'],
      ['names alone', names, 'identity-only'],
      [
        'a plus turned into a space',
        { [`${prefix}-Leaf`]: awsPem(chain.leaf).replace('%20', '+') },
        'header-malformed',
      ],
      [
        'two certificates',
        { [`${prefix}-Leaf`]: awsPem(chain.leaf, chain.issuing) },
        'header-malformed',
      ],
      [
        'two lines',
        [
          [`${prefix}-Leaf`, awsPem(chain.leaf)],
          [`${prefix}-Leaf`, ''],
        ],
        'header-repeated',
      ],
      [
        'a name twice',
        [...Object.entries(names), [`${prefix}-Subject`, 'CN=admin']],
        'header-repeated',
      ],
      ['a twin', { [`${prefix}_Leaf`]: awsPem(chain.leaf) }, 'header-twin'],
    ])
    test('asserts the names where that was asked for', () => {
      const found = albVerify({ trust, assertedIdentity: true }).read(requestWith(names))
      expect(found.kind === 'asserted' && found.identity).toEqual({
        asserted: true,
        by: 'alb-verify',
        subject: 'CN=client-a',
        issuer: 'CN=Issuing CA',
        serialNumber: '03a5b1',
      })
    })
    test('asserts no serial number that is none', () => {
      const headers = { ...names, [`${prefix}-Serial-Number`]: 'x' }
      const found = albVerify({ trust, assertedIdentity: true }).read(requestWith(headers))
      expect(outcomeOf(found)).toBe('header-malformed')
    })
    test('asserts nothing of more than 64 KiB', () => {
      const headers = { [`${prefix}-Subject`]: 'x'.repeat(65_537) }
      const found = albVerify({ trust, assertedIdentity: true }).read(requestWith(headers))
      expect(outcomeOf(found)).toBe('header-too-large')
    })
  })
  describe('passthrough', () => {
    cases(albPassthrough({ trust }), () => [
      ['a chain', { [prefix]: awsPem(chain.leaf, chain.issuing) }, [chain.leaf, chain.issuing]],
      [
        'a chain in the order of the client',
        { [prefix]: awsPem(chain.issuing, chain.leaf) },
        [chain.issuing, chain.leaf],
      ],
      ['none', {}, 'absent'],
      [
        'text between the blocks',
        { [prefix]: `${awsPem(chain.leaf)}x%0A${awsPem(chain.issuing)}` },
        'header-malformed',
      ],
      [
        'a damaged first block',
        { [prefix]: awsPem(chain.leaf).replace('MI', 'M') + awsPem(chain.other) },
        'header-malformed',
      ],
      [
        'two lines',
        [
          [prefix, awsPem(chain.leaf)],
          [prefix, awsPem(chain.leaf)],
        ],
        'header-repeated',
      ],
      [
        'two lines joined',
        { [prefix]: `${awsPem(chain.leaf)},${awsPem(chain.leaf)}` },
        'header-repeated',
      ],
      [
        'eleven',
        { [prefix]: awsPem(...Array<Uint8Array>(11).fill(chain.leaf)) },
        'header-too-many-certificates',
      ],
    ])
  })
})

describe('CloudFront', () => {
  const prefix = 'CloudFront-Viewer-Cert'
  const hashOf = (der: Uint8Array) => hex(sha256(der))
  const names = {
    [`${prefix}-Serial-Number`]: '4a:3f:5C',
    [`${prefix}-Issuer`]: 'CN=Issuing CA',
    [`${prefix}-Subject`]: 'CN=client-a',
    [`${prefix}-Sha256`]: 'ab'.repeat(32),
    [`${prefix}-Present`]: '1',
  }
  cases(cloudFront({ trust }), () => {
    const pem = awsPem(chain.leaf)
    const good = {
      [`${prefix}-Pem`]: pem,
      [`${prefix}-Sha256`]: hashOf(chain.leaf),
      [`${prefix}-Present`]: '1',
    }
    return [
      ['a certificate', good, [chain.leaf]],
      ['without the optional ones', { [`${prefix}-Pem`]: pem }, [chain.leaf]],
      ['none', { [`${prefix}-Present`]: '0' }, 'absent'],
      ['nothing', {}, 'absent'],
      ['names alone', names, 'identity-only'],
      ['names of nobody', { ...names, [`${prefix}-Present`]: '0' }, 'headers-contradict'],
      ['somebody without a certificate', { [`${prefix}-Present`]: '1' }, 'headers-contradict'],
      ['a certificate of nobody', { ...good, [`${prefix}-Present`]: '0' }, 'headers-contradict'],
      ['a word that is no flag', { ...good, [`${prefix}-Present`]: 'true' }, 'header-malformed'],
      [
        'the hash of another',
        { ...good, [`${prefix}-Sha256`]: hashOf(chain.other) },
        'headers-contradict',
      ],
      ['a hash that is none', { ...good, [`${prefix}-Sha256`]: 'abc' }, 'header-malformed'],
      ['a hash of SHA-1', { ...good, [`${prefix}-Sha256`]: 'ab'.repeat(20) }, 'header-malformed'],
      [
        'a hash beyond 64 KiB',
        { ...good, [`${prefix}-Sha256`]: 'a'.repeat(65_537) },
        'header-too-large',
      ],
      ['two lines', [...Object.entries(good), [`${prefix}-Pem`, pem]], 'header-repeated'],
      ['a twin', { ...good, CloudFront_Viewer_Cert_Pem: pem }, 'header-twin'],
    ]
  })
  test('asserts names and hash where that was asked for', () => {
    const found = cloudFront({ trust, assertedIdentity: true }).read(requestWith(names))
    expect(found.kind === 'asserted' && found.identity).toEqual({
      asserted: true,
      by: 'cloudfront',
      subject: 'CN=client-a',
      issuer: 'CN=Issuing CA',
      serialNumber: '4a3f5c',
      fingerprint: 'ab'.repeat(32),
    })
  })
  test('asserts no hash that is none', () => {
    const headers = { [`${prefix}-Sha256`]: 'x' }
    const found = cloudFront({ trust, assertedIdentity: true }).read(requestWith(headers))
    expect(outcomeOf(found)).toBe('header-malformed')
  })
  describe('passthrough', () => {
    cases(cloudFront({ trust, form: 'rfc9440' }), () => [
      [
        'a chain',
        { 'Client-Cert': sfBinary(chain.leaf), 'Client-Cert-Chain': sfBinary(chain.issuing) },
        [chain.leaf, chain.issuing],
      ],
      ['none', { [`${prefix}-Present`]: '0' }, 'absent'],
      [
        'the hash of another, with a chain',
        {
          'Client-Cert': sfBinary(chain.leaf),
          'Client-Cert-Chain': sfBinary(chain.issuing),
          [`${prefix}-Sha256`]: hashOf(chain.other),
        },
        'headers-contradict',
      ],
    ])
  })
})

describe('Azure', () => {
  describe('App Service', () => {
    cases(azureAppService({ trust }), () => [
      ['base64 of DER', { 'X-ARR-ClientCert': base64(chain.leaf) }, [chain.leaf]],
      [
        'PEM of an Application Gateway',
        { 'X-ARR-ClientCert': spacedPem(chain.leaf) },
        [chain.leaf],
      ],
      ['none', {}, 'absent'],
      ['empty', { 'X-ARR-ClientCert': '' }, 'absent'],
      [
        'two lines',
        [
          ['X-ARR-ClientCert', ''],
          ['x-arr-clientcert', ''],
        ],
        'header-repeated',
      ],
      ['two lines joined', { 'X-ARR-ClientCert': `${base64(chain.leaf)}, x` }, 'header-repeated'],
      ['a twin', { X_ARR_ClientCert: base64(chain.leaf) }, 'header-twin'],
    ])
  })
  describe('Application Gateway', () => {
    const [certificate, verify] = ['X-Client-Certificate', 'X-Client-Certificate-Verification']
    cases(azureApplicationGateway({ trust }), () => {
      const leaf = spacedPem(chain.leaf)
      return [
        ['PEM with spaces', { [certificate]: leaf, [verify]: 'SUCCESS' }, [chain.leaf]],
        [
          'PEM, percent-encoded',
          { [certificate]: percentPem(chain.leaf), [verify]: 'SUCCESS' },
          [chain.leaf],
        ],
        ['none', { [certificate]: '', [verify]: 'NONE' }, 'absent'],
        ['mode passthrough', { [certificate]: leaf, [verify]: 'PASSTHROUGH' }, 'proxy-refused'],
        ['a bad one in mode strict', { [certificate]: leaf, [verify]: '' }, 'proxy-refused'],
        ['a failure', { [certificate]: leaf, [verify]: 'FAILED:x' }, 'proxy-refused'],
        ['no verdict', { [certificate]: leaf }, 'header-missing'],
        ['success of nobody', { [verify]: 'SUCCESS' }, 'headers-contradict'],
        ['neither form', { [certificate]: `-${leaf}`, [verify]: 'SUCCESS' }, 'header-malformed'],
      ]
    })
    test('in mode passthrough its verdict is ignored', () => {
      const source = azureApplicationGateway({ trust, proxyVerdict: 'ignored' })
      const headers = { [certificate]: spacedPem(chain.leaf), [verify]: 'PASSTHROUGH' }
      expect(outcomeOf(source.read(requestWith(headers)))).toEqual([hex(chain.leaf)])
    })
  })
})

describe('Google Cloud', () => {
  const prefix = 'X-Client-Cert'
  const flags = (present: string, verified: string, error = '') => ({
    [`${prefix}-Present`]: present,
    [`${prefix}-Chain-Verified`]: verified,
    [`${prefix}-Error`]: error,
  })
  const hashOf = (der: Uint8Array) => base64(sha256(der)).replace('=', '')
  cases(googleCloud({ trust }), () => {
    const leaf = { [`${prefix}-Leaf`]: sfBinary(chain.leaf) }
    const links = { [`${prefix}-Chain`]: sfList(chain.issuing, chain.root) }
    const hash = { [`${prefix}-Hash`]: hashOf(chain.leaf) }
    const good = flags('true', 'true')
    return [
      [
        'a certificate',
        { ...good, ...leaf, ...links, ...hash },
        [chain.leaf, chain.issuing, chain.root],
      ],
      ['without hash and chain', { ...good, ...leaf }, [chain.leaf]],
      ['with the hash alone', { ...good, ...leaf, ...hash }, [chain.leaf]],
      [
        'none',
        {
          ...flags('false', 'false', 'client_cert_not_provided'),
          [`${prefix}-Leaf`]: '',
          [`${prefix}-Hash`]: '',
        },
        'absent',
      ],
      [
        'the hash of another',
        { ...good, ...leaf, [`${prefix}-Hash`]: hashOf(chain.other) },
        'headers-contradict',
      ],
      [
        'a hash in hexadecimal',
        { ...good, ...leaf, [`${prefix}-Hash`]: 'ab'.repeat(32) },
        'header-malformed',
      ],
      ['one that is not verified', { ...flags('true', 'false', 'x'), ...leaf }, 'proxy-refused'],
      ['one that is not verified, and not there', flags('true', 'false', 'x'), 'proxy-refused'],
      [
        'one that is too large',
        { ...flags('true', 'false', 'client_cert_exceeded_size_limit'), [`${prefix}-Leaf`]: '' },
        'proxy-omitted-certificate',
      ],
      [
        'a chain that is too large',
        { ...flags('true', 'true', 'client_cert_chain_exceeded_size_limit'), ...leaf },
        'proxy-omitted-certificate',
      ],
      ['somebody without a certificate', good, 'headers-contradict'],
      ['a hash alone', { ...good, ...hash }, 'identity-only'],
      ['a chain alone', { ...good, ...links }, 'headers-contradict'],
      ['verified of nobody', flags('false', 'true'), 'headers-contradict'],
      [
        'verified, of a certificate of nobody',
        { ...flags('false', 'true'), ...leaf },
        'headers-contradict',
      ],
      ['a certificate of nobody', { ...flags('false', 'false'), ...leaf }, 'proxy-refused'],
      ['no word of presence', { [`${prefix}-Chain-Verified`]: 'true', ...leaf }, 'header-missing'],
      ['no verdict', { [`${prefix}-Present`]: 'true', ...leaf }, 'header-missing'],
      ['True', { ...flags('True', 'true'), ...leaf }, 'header-malformed'],
      ['TRUE', { ...flags('true', 'TRUE'), ...leaf }, 'proxy-refused'],
      ['a twin', { ...good, ...leaf, X_Client_Cert_Hash: 'x' }, 'header-twin'],
    ]
  })
  test('asserts hash, serial number and SPIFFE id where that was asked for', () => {
    const source = googleCloud({ trust, assertedIdentity: true })
    const headers = {
      ...flags('true', 'true'),
      [`${prefix}-Hash`]: hashOf(chain.leaf),
      [`${prefix}-Serial-Number`]: '0A',
      [`${prefix}-SPIFFE`]: 'spiffe://td/client',
    }
    const found = source.read(requestWith(headers))
    expect(found.kind === 'asserted' && found.identity).toEqual({
      asserted: true,
      by: 'google-cloud',
      fingerprint: hex(sha256(chain.leaf)),
      serialNumber: '0a',
      uris: ['spiffe://td/client'],
    })
    const refused = source.read(requestWith({ ...headers, ...flags('true', 'false') }))
    expect(outcomeOf(refused)).toBe('proxy-refused')
  })
})

describe('Cloudflare', () => {
  const [certificate, hash] = ['Cf-Client-Cert-Der-Base64', 'Cf-Client-Cert-Sha256']
  cases(cloudflare({ trust }), () => [
    [
      'a certificate',
      { [certificate]: base64(chain.leaf), [hash]: hex(sha256(chain.leaf)) },
      [chain.leaf],
    ],
    ['a later request of the connection', {}, 'absent'],
    [
      'the hash of another',
      { [certificate]: base64(chain.leaf), [hash]: hex(sha256(chain.other)) },
      'headers-contradict',
    ],
    ['a hash alone', { [hash]: hex(sha256(chain.leaf)) }, 'identity-only'],
    [
      'two lines',
      [
        [certificate, ''],
        [certificate, ''],
      ],
      'header-repeated',
    ],
    ['a twin', { Cf_Client_Cert_Der_Base64: base64(chain.leaf) }, 'header-twin'],
  ])
  describe('as PEM', () => {
    cases(cloudflare({ trust, form: 'pem' }), () => [
      ['a certificate', { 'CF-Client-Cert-PEM': percentPem(chain.leaf) }, [chain.leaf]],
      ['not encoded', { 'CF-Client-Cert-PEM': spacedPem(chain.leaf) }, 'header-malformed'],
    ])
  })
  describe('as RFC 9440', () => {
    const verified = (word: string) => ({ 'Client-Cert-Verified': word })
    cases(cloudflare({ trust, form: 'rfc9440' }), () => {
      const leaf = { 'Client-Cert': sfBinary(chain.leaf) }
      const flags = { 'Client-Cert-Too-Large': 'false', 'Client-Cert-Chain-Too-Large': 'false' }
      return [
        ['a certificate', { ...leaf, ...flags, ...verified('true') }, [chain.leaf]],
        [
          'with its chain',
          { ...leaf, 'Client-Cert-Chain': sfList(chain.issuing), ...verified('true') },
          [chain.leaf, chain.issuing],
        ],
        ['none', { 'Client-Cert': '', ...flags, ...verified('false') }, 'absent'],
        [
          'none, as two quotes',
          { 'Client-Cert': '""', 'Client-Cert-Chain': '""', ...verified('false') },
          'absent',
        ],
        ['a bad or revoked one', { ...leaf, ...flags, ...verified('false') }, 'proxy-refused'],
        [
          'one that is too large',
          { 'Client-Cert': '', 'Client-Cert-Too-Large': 'true', ...verified('true') },
          'proxy-omitted-certificate',
        ],
        [
          'a chain that is too large',
          { ...leaf, 'Client-Cert-Chain-Too-Large': 'true', ...verified('true') },
          'proxy-omitted-certificate',
        ],
        ['no verdict', { ...leaf, ...flags }, 'header-missing'],
        ['verified of nobody', verified('true'), 'headers-contradict'],
      ]
    })
  })
})

describe('Kong', () => {
  const header = 'X-Client-Cert'
  describe('base64_encoded', () => {
    cases(kong({ trust, header, format: 'base64_encoded' }), () => [
      ['a certificate', { [header]: base64(chain.leaf) }, [chain.leaf]],
      ['none', {}, 'absent'],
      ['the other format', { [header]: percentPem(chain.leaf) }, 'header-malformed'],
      [
        'two lines joined',
        { [header]: `${base64(chain.leaf)},${base64(chain.leaf)}` },
        'header-repeated',
      ],
      [
        'two lines',
        [
          [header, base64(chain.leaf)],
          [header, base64(chain.leaf)],
        ],
        'header-repeated',
      ],
    ])
  })
  describe('url_encoded', () => {
    cases(kong({ trust, header, format: 'url_encoded' }), () => [
      ['a certificate', { [header]: percentPem(chain.leaf) }, [chain.leaf]],
      ['the other format', { [header]: base64(chain.leaf) }, 'header-malformed'],
      ['two certificates', { [header]: percentPem(chain.leaf, chain.leaf) }, 'header-malformed'],
    ])
  })
})

describe('Gravitee', () => {
  const header = 'X-Gravitee-Client-Cert'
  cases(gravitee({ trust }), () => {
    const text = base64(new TextEncoder().encode(pemOf(chain.leaf)))
    return [
      ['a certificate', { [header]: text }, [chain.leaf]],
      ['none', {}, 'absent'],
      ['base64 of DER', { [header]: base64(chain.leaf) }, 'header-malformed'],
      ['two lines joined', { [header]: `${text}, ${text}` }, 'header-repeated'],
      [
        'two lines',
        [
          [header, text],
          [header, text],
        ],
        'header-repeated',
      ],
    ]
  })
  describe('url_encoded', () => {
    cases(gravitee({ trust, format: 'url_encoded' }), () => [
      ['a certificate', { [header]: percentPem(chain.leaf) }, [chain.leaf]],
    ])
  })
})

describe('Akamai', () => {
  cases(akamai({ trust }), () => [
    ['a certificate', { 'AKAMAI-CC-DER': sfBinary(chain.leaf) }, [chain.leaf]],
    ['none', {}, 'absent'],
    ['without its colons', { 'Akamai-CC-DER': base64(chain.leaf) }, 'header-malformed'],
    ['two in one line', { 'Akamai-CC-DER': sfList(chain.leaf, chain.leaf) }, 'header-repeated'],
  ])
})

describe('options of a preset', () => {
  const presets: readonly ((options: never) => ClientCertificateSource)[] = [
    akamai,
    albPassthrough,
    albVerify,
    apache,
    azureApplicationGateway,
    azureAppService,
    caddy,
    cloudflare,
    cloudFront,
    googleCloud,
    gravitee,
    haproxy,
    ingressNginx,
    nginx,
    rfc9440,
    traefik,
  ]
  test.each(presets.map((preset) => [preset.name, preset] as const))('%s', (_name, preset) => {
    const codeOf = (options: unknown) => {
      try {
        preset(options as never)
      } catch (error) {
        return (error as { readonly code?: unknown }).code
      }
      return undefined
    }
    expect(codeOf({ trust })).toBeUndefined()
    expect(codeOf({})).toBe('option-missing')
    expect(codeOf(undefined)).toBe('option-missing')
    expect(codeOf({ trust, heder: 'X' })).toBe('option-unknown')
    expect(codeOf({ trust, header: 'X Y' })).toBe('option-invalid')
  })
  test.each([
    ['option-invalid', () => nginx({ trust, proxyVerdict: 'optional' as 'ignored' })],
    ['option-invalid', () => cloudflare({ trust, form: 'x' as 'pem' })],
    ['option-unknown', () => cloudflare({ trust, form: 'rfc9440', hashHeader: 'X' } as never)],
    ['option-invalid', () => cloudFront({ trust, form: 'x' as 'pem' })],
    ['option-invalid', () => gravitee({ trust, format: 'x' as 'base64' })],
    ['option-invalid', () => kong({ trust, header: 'X', format: 'x' as 'url_encoded' })],
    ['option-missing', () => kong({ trust, format: 'url_encoded' } as never)],
    ['option-missing', () => kong({ trust, header: 'X' } as never)],
    ['option-invalid', () => albVerify({ trust, assertedIdentity: 1 as unknown as true })],
    ['options-conflict', () => nginx({ trust, header: 'X-SSL_Client-Verify' })],
  ])('%s is thrown', (code, make) => {
    expect(make).toThrow(expect.objectContaining({ code }))
  })
})
