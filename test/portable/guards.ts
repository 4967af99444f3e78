/** Fetch handlers behind a guard in any runtime: asked through its own server, so that what the runtime shows of a request is real. @module */
import type * as fetchEntry from '../../src/http/fetch.web.ts'
import type * as sourcesEntry from '../../src/http/sources/index.ts'
import { type Check, differs } from './check.ts'
import { type PolicyData, type PolicyEntries, presented, readTrust } from './policies.ts'

export interface GuardEntries extends PolicyEntries {
  readonly fetch: typeof fetchEntry
  readonly sources: typeof sourcesEntry
}

/** A server of the runtime. */
export interface Platform {
  /** What it shows of a request besides: the address it came from, or the `cf` of a Worker. */
  readonly shows: 'address' | 'cf'
  readonly serve: (handler: Handler) => Promise<Serving>
}

export type Handler = (request: Request, info: unknown) => Promise<Response>

export interface Serving {
  readonly ask: (path: string, init: AskInit) => Promise<Response>
  readonly close: () => Promise<void>
}

export type AskInit = RequestInit & { readonly cf?: object }

/** A source, and how a proxy in front of it presents a client. */
interface Way {
  readonly name: string
  readonly source: sourcesEntry.ClientCertificateSource
  readonly present: (certificates: readonly string[]) => AskInit
  /** What others than the proxy send: it must not count. */
  readonly strangers: readonly (readonly [
    code: string,
    source: sourcesEntry.ClientCertificateSource,
    init: (certificates: readonly string[]) => AskInit,
  ])[]
}

export async function checkGuards(
  data: PolicyData,
  entries: GuardEntries,
  { shows, serve }: Platform,
  check: Check,
): Promise<void> {
  const { proxy, clients } = data
  const trust = readTrust(data.trust, entries)
  const options = (source: Way['source'], policies: fetchEntry.GuardOptions['policies'] = proxy) =>
    ({
      ...trust,
      policies,
      source,
      answer: { reason: 'code' },
      identityHeaders: { 'X-Client-Subject': 'subject' },
    }) as const
  const certificates = (client: string) => items(presented(clients[client]))
  for (const way of waysOf(entries.sources, shows)) {
    const handler = entries.fetch.mtls<[unknown]>(answer, options(way.source))
    const serving = await serve(handler)
    const asks = async (name: string, path: string, init: AskInit, expected: string) => {
      const response = await serving.ask(path, init)
      check(`guard ${way.name}, ${name}`, differs(expected, await answerText(response)))
    }
    try {
      for (const [client, path, expected] of questions) {
        await asks(`${client} ${path}`, path, way.present(certificates(client)), expected)
      }
      const posted = { ...way.present(certificates('good')), method: 'POST', body: 'a body' }
      await asks('a body', '/', posted, `${good} a body`)
      for (const [code, source, init] of way.strangers) {
        handler.update(options(source))
        await asks(`stranger ${code}`, '/', init(certificates('good')), `401 ${code}`)
      }
      const lax = [{ type: 'policy-auth-mtls', validateACLForIssuer: false }]
      handler.update(options(way.source, lax))
      const other = way.present(certificates('otherIssuer'))
      await asks('after an update', '/', other, 'CN=client-b,O=Example')
    } finally {
      await serving.close()
    }
  }
}

const good = 'CN=client-a,O=Example'

/** By the clock of the server. */
const questions: readonly (readonly [client: string, path: string, expected: string])[] = [
  ['good', '/', good],
  // The second time it is remembered.
  ['good', '/', good],
  ['good', '/reports/monday', good],
  ['clerk', '/', 'CN=clerk,O=Example'],
  ['clerk', '/reports/monday', '401 client-not-allowed'],
  ['clerk', '//Reports/%6Donday?a', '401 client-not-allowed'],
  ['good', '/reports%2fmonday', '401 request-target-ambiguous'],
  ['otherIssuer', '/', '401 issuer-not-allowed'],
  ['foreign', '/', '401 issuer-unknown'],
  ['expired', '/', '401 certificate-expired'],
  ['forged', '/', '401 signature-invalid'],
  // What does not begin as DER is no value of this header.
  ['junk', '/', '401 header-malformed'],
  ['none', '/', '401 certificate-missing'],
]

/** RFC 9440, or what Cloudflare writes into `request.cf`. */
function waysOf(
  { rfc9440, cloudflareWorker }: typeof sourcesEntry,
  shows: Platform['shows'],
): readonly Way[] {
  const secret = { header: 'X-Proxy-Secret', value: 'not-to-be-guessed-1' }
  const withSecret = rfc9440({ trust: { secret } })
  const sent = (certificates: readonly string[], value: string) => ({
    headers: { ...clientCert(certificates), [secret.header]: value },
  })
  const bySecret: Way = {
    name: 'by a secret',
    source: withSecret,
    present: (certificates) => sent(certificates, secret.value),
    strangers: [
      ['proxy-not-trusted', withSecret, (own) => ({ headers: clientCert(own) })],
      ['proxy-not-trusted', withSecret, (own) => sent(own, 'not-to-be-guessed-2')],
    ],
  }
  if (shows === 'cf') {
    const worker = cloudflareWorker()
    const byCf: Way = {
      name: 'by request.cf',
      source: worker,
      present: (certificates) => ({ cf: { tlsClientAuth: tlsClientAuth(certificates) } }),
      strangers: [
        ['header-missing', worker, (own) => ({ headers: clientCert(own) })],
        [
          'proxy-refused',
          worker,
          (own) => ({ cf: { tlsClientAuth: { ...tlsClientAuth(own), certVerified: 'FAILED' } } }),
        ],
      ],
    }
    return [bySecret, byCf]
  }
  const from = (address: string) => rfc9440({ trust: { addresses: [address] } })
  const byAddress: Way = {
    name: 'by its address',
    source: from('127.0.0.1'),
    present: (certificates) => ({ headers: clientCert(certificates) }),
    strangers: [['proxy-not-trusted', from('192.0.2.1'), (own) => ({ headers: clientCert(own) })]],
  }
  return [bySecret, byAddress]
}

function clientCert([own, ...others]: readonly string[]): Record<string, string> {
  // What a client says of itself must not arrive.
  const asserted = { 'X-Client-Subject': 'CN=admin' }
  if (own === undefined) return asserted
  const chain = others.length === 0 ? {} : { 'Client-Cert-Chain': others.join(', ') }
  return { ...asserted, 'Client-Cert': own, ...chain }
}

function tlsClientAuth([own, ...others]: readonly string[]): object {
  return {
    certPresented: own === undefined ? '0' : '1',
    certVerified: own === undefined ? 'NONE' : 'SUCCESS',
    certRevoked: '0',
    certRFC9440: own ?? '',
    certRFC9440TooLarge: false,
    certChainRFC9440: others.join(', '),
    certChainRFC9440TooLarge: false,
  }
}

/** Certificates as RFC 9440 §2.1 writes them. */
function items(client: string | Uint8Array | undefined): readonly string[] {
  if (client === undefined) return []
  if (typeof client !== 'string') return [`:${btoa(String.fromCharCode(...client))}:`]
  const blocks = [...client.matchAll(/-----BEGIN CERTIFICATE-----([^-]*)-----END/g)]
  return blocks.map(([, base64 = '']) => `:${base64.replace(/\s/g, '')}:`)
}

/** What a handler behind the guard sees; a header that should have been taken away shows. */
async function answer(
  request: Request,
  { clientCertificate }: fetchEntry.ClientContext,
): Promise<Response> {
  const proven = `${clientCertificate.identity?.subject}`
  const header = request.headers.get('x-client-subject')
  const left = ['client-cert', 'x-proxy-secret'].filter((name) => request.headers.has(name))
  const said = header === proven ? [proven] : [proven, `X-Client-Subject: ${header}`]
  return new Response([...said, ...left, await request.text()].join(' ').trim())
}

/** The body; of a refusal its status and code. */
async function answerText(response: Response): Promise<string> {
  const { status, headers } = response
  const body = await response.text()
  if (status === 200) return body
  const isProblem = headers.get('content-type') === 'application/problem+json'
  const isChallenged = headers.get('www-authenticate') === 'ClientCertificate realm="mtls"'
  if (!isProblem || !isChallenged) return `${status} ${JSON.stringify([...headers])} ${body}`
  const { code } = JSON.parse(body) as { readonly code?: string }
  return `${status} ${code}`
}
