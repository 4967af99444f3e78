/** The README's table of sources, held against the sources. */
import { describe, expect, test } from 'vitest'
import * as sources from '../../src/http/sources/index.ts'
import { readPage, sectionOf } from './markdown.ts'

const trust = { addresses: ['10.0.0.0/8'] }
const { cloudflare, cloudFront, envoy, istio, kong, nginx, tls } = sources

/** Those that need more than `trust`, less, or have several forms. */
const forms: Readonly<Record<string, readonly sources.ClientCertificateSource[]>> = {
  tls: [tls()],
  apiGateway: [sources.apiGateway()],
  cloudflareWorker: [sources.cloudflareWorker()],
  envoy: [envoy({ trust, form: 'json' }), envoy({ trust, form: 'text' })],
  istio: [istio({ trust }), istio({ trust, form: 'json' })],
  cloudflare: [
    cloudflare({ trust }),
    cloudflare({ trust, form: 'pem' }),
    cloudflare({ trust, form: 'rfc9440' }),
  ],
  cloudFront: [cloudFront({ trust }), cloudFront({ trust, form: 'rfc9440' })],
  kong: [kong({ trust, header: 'X-Client-Cert', format: 'url_encoded' })],
  fallback: [sources.fallback(nginx({ trust }), tls())],
  fromHeader: [
    sources.fromHeader({
      trust,
      certificate: { header: 'X-Client-Cert', encoding: 'base64-der' },
    }),
  ],
}

const table = sectionOf(readPage('README.md'), '### Behind a proxy')
const rows = [...table.matchAll(/^\| `(\w+)`([^|]*)\|(.*)\|$/gm)].map(
  ([, name = '', form = '', cells = '']) => ({ name, form: form.trim(), cells }),
)

test('every source has a row, and every row is a source', () => {
  const names = [...new Set(rows.map(({ name }) => name))]
  expect(names.toSorted()).toEqual(Object.keys(sources).toSorted())
})

describe.each(rows)('$name $form', ({ name, cells }) => {
  const make = Reflect.get(sources, name) as (options: object) => sources.ClientCertificateSource
  const made = forms[name] ?? [make({ trust })]
  const shown = [...cells.matchAll(/`([a-z\d]+(?:-[a-z\d]+)+)`/gi)].map(([, header = '']) =>
    header.toLowerCase(),
  )

  test('has no header that the source does not read', () => {
    const read = new Set(made.flatMap(({ headers }) => headers))
    expect(shown.filter((header) => !read.has(header))).toEqual([])
  })
  test('has the header of the certificate, and those that say whether it is good', () => {
    if (['kong', 'fromHeader', 'fallback'].includes(name)) return
    const forms = made.map(({ headers }) =>
      headers.filter(
        (header, i) => i === 0 || /-(?:verify|verified|verification|used)$/.test(header),
      ),
    )
    expect(forms.some((headers) => headers.every((header) => shown.includes(header)))).toBe(true)
  })
})
