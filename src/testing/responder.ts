/**
 * An HTTP server for tests of revocation: it serves CRLs and answers OCSP requests, and does either wrong on purpose. It needs
 * Node's modules, which it asks for when it starts, so that the rest of the test PKI loads everywhere.
 * @module
 */

import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { decodeBase64 } from '../base/base64.ts'
import { asciiBytes, bytesEqual, concatBytes } from '../base/bytes.ts'
import type { CertificateAuthority, IssuedCertificate } from './authority.ts'
import { integerContents } from './encode.ts'
import { testTime } from './issue.ts'
import { type CrlOptions, issueCrl, issueDeltaCrl } from './issue-crl.ts'
import {
  type CertIDHash,
  type CertStatusInput,
  certIDHashes,
  issueOcspResponse,
  issuerHashes,
  type OcspResponseOptions,
  type SingleResponseInput,
} from './issue-ocsp.ts'
import { poolKey, poolSize, type TestKey } from './keys.ts'
import { type AskedCertID, readOcspRequest } from './read-ocsp-request.ts'
import { signerOf } from './signer.ts'
import { staleUpdates } from './updates.ts'

/** What can go wrong at a path. Numbers that are not given have a default. */
export type ResponderFault =
  /** The answer is right and comes late. Default: after 1,000 milliseconds. */
  | { readonly kind: 'slow'; readonly milliseconds?: number }
  /** One octet at a time. Default: one every 10 milliseconds. */
  | { readonly kind: 'drip'; readonly milliseconds?: number }
  /** Nothing is ever sent. */
  | { readonly kind: 'never' }
  /** The connection is reset before anything is sent. */
  | { readonly kind: 'reset' }
  /** Half of what Content-Length says is sent, then the connection ends. */
  | { readonly kind: 'truncated' }
  /** Default: 500. `retryAfter` is a number of seconds or an HTTP date. */
  | { readonly kind: 'status'; readonly status?: number; readonly retryAfter?: number | string }
  /** 304 although nobody asked for a newer one. */
  | { readonly kind: 'not-modified' }
  /** Default: to another path of this responder, where the content is right. */
  | { readonly kind: 'redirect'; readonly to?: RedirectTarget; readonly status?: number }
  /** A body without an end. Default of `octets`: as many as the client takes. */
  | { readonly kind: 'huge'; readonly octets?: number }
  /** The right content, compressed, whether or not the client accepts that. */
  | { readonly kind: 'gzip' }
  /** A small body that decompresses to `octets`. Default: 2^30. */
  | { readonly kind: 'gzip-bomb'; readonly octets?: number }
  /** The right content under another Content-Type. Default: text/html. */
  | { readonly kind: 'wrong-type'; readonly contentType?: string }
  /** 200 and the right Content-Type, and a page in HTML. */
  | { readonly kind: 'wrong-content' }
  /** A list or a response that ran out three weeks before. */
  | { readonly kind: 'stale' }
  /** A list or a response with another key's signature. */
  | { readonly kind: 'wrong-signer' }
  /** A response with a nonce that nobody asked for. */
  | { readonly kind: 'wrong-nonce' }

/** `other-host` is this responder under another name, `loop` the same path again; or a path or a URL. */
export type RedirectTarget =
  | 'same-host'
  | 'other-host'
  | 'loop'
  | `/${string}`
  | `${string}:${string}`

/** What a path serves. */
export type ResponderRoute = ResponderContent & {
  /** From the start. */
  readonly fault?: ResponderFault | ResponderFault['kind']
}

export type ResponderContent =
  /** Octets as they stand. */
  | { readonly body: Uint8Array; readonly contentType?: string }
  /** A CRL, issued when it is first asked for. */
  | { readonly crlOf: IssuedCertificate; readonly options?: CrlOptions }
  | { readonly deltaCrlOf: IssuedCertificate; readonly options?: CrlOptions }
  /** OCSP responses, issued for each request: POST, and GET below this path. */
  | OcspContent

export interface OcspContent {
  readonly ocspOf: CertificateAuthority
  /** The first with the serial number counts. */
  readonly statuses?: readonly Exclude<SingleResponseInput, { readonly certID: Uint8Array }>[]
  /** The status of every other certificate of this CA. Default: good. */
  readonly otherwise?: CertStatusInput
  /** Default: a nonce is sent back. */
  readonly nonce?: 'echo' | 'absent'
  readonly options?: Omit<OcspResponseOptions, 'responses'>
}

export interface ResponderOptions {
  /** By path, which begins with a slash. */
  readonly routes?: { readonly [path: string]: ResponderRoute }
  /** Default: a free one. */
  readonly port?: number
}

export interface ResponderRequest {
  readonly method: string
  /** With the query. */
  readonly path: string
  /** Names in lower case. */
  readonly headers: { readonly [name: string]: string | readonly string[] | undefined }
  readonly body: Uint8Array
}

export interface Responder {
  readonly port: number
  /** Every request so far, in the order in which they were complete. */
  readonly requests: readonly ResponderRequest[]
  /** `http://127.0.0.1:` with the port and `path`. */
  url(path: string): string
  /** Serves something else at a path, from the next request on. */
  set(path: string, route: ResponderRoute): void
  /**
   * Makes a path fail.
   *
   * @param times - How many requests fail. Default: all, until `heal`.
   */
  fail(path: string, fault: ResponderFault | ResponderFault['kind'], times?: number): void
  heal(path: string): void
  /** Ends every connection. */
  close(): Promise<void>
}

/**
 * Starts an HTTP server on 127.0.0.1 that serves CRLs and answers OCSP requests, and fails as it is told.
 *
 * @throws TypeError with code `testing-needs-node` in a runtime without `node:http`.
 * @example
 * const root = await issueCa('Root CA')
 * const client = await root.issue('client-a')
 * const responder = await startResponder({
 *   routes: { '/root.crl': { crlOf: root, options: { revoked: [client] } }, '/ocsp': { ocspOf: root } },
 * })
 * responder.fail('/root.crl', { kind: 'status', status: 503 }, 1)
 * console.log((await fetch(responder.url('/root.crl'))).status) // 503
 * console.log((await fetch(responder.url('/root.crl'))).status) // 200
 * await responder.close()
 */
export async function startResponder(options: ResponderOptions = {}): Promise<Responder> {
  const { createServer } = builtin('node:http')
  const paths = new Paths()
  for (const [path, route] of Object.entries(options.routes ?? {})) paths.set(path, route)
  const requests: ResponderRequest[] = []
  const server = createServer((incoming, response) => {
    // A client may leave at any moment; that is no fault of the test.
    response.on('error', () => undefined)
    receive(incoming, (request) => {
      requests.push(request)
      answer(paths, request, { response, port }).catch((error: unknown) => {
        if (response.headersSent) response.destroy()
        else sendStatus(response, 500, String(error))
      })
    })
  })
  const port = await listen(server, options.port ?? 0)
  return {
    port,
    requests,
    url: (path) => `http://127.0.0.1:${port}${path}`,
    set: (path, route) => paths.set(path, route),
    fail: (path, fault, times) => paths.fail(path, fault, times),
    heal: (path) => paths.fail(path, undefined),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

interface Place {
  readonly content: ResponderContent
  /** Counts up with each change: what ETag and Last-Modified say. */
  readonly version: number
  /** What was issued, by the fault that it has. */
  readonly issued: Map<string, Promise<Uint8Array>>
  readonly fault: ResponderFault | undefined
  /** How many more requests the fault meets. */
  times: number
}

/** What the paths serve now. */
class Paths {
  readonly #places = new Map<string, Place>()
  #version = 0

  set(path: string, { fault, ...content }: ResponderRoute): void {
    if (!path.startsWith('/')) throw new TypeError(`not a path: ${path}`)
    const issued = new Map<string, Promise<Uint8Array>>()
    const version = ++this.#version
    this.#places.set(path, { content, version, issued, fault: undefined, times: 0 })
    if (fault !== undefined) this.fail(path, fault)
  }

  fail(
    path: string,
    fault: ResponderFault | ResponderFault['kind'] | undefined,
    times: number = Number.POSITIVE_INFINITY,
  ): void {
    const place = this.#places.get(path)
    if (place === undefined) throw new TypeError(`nothing is served at ${path}`)
    const whole = typeof fault === 'string' ? { kind: fault } : fault
    if (whole !== undefined && !fits(whole, place.content)) {
      throw Object.assign(new TypeError(`what ${path} serves cannot be ${whole.kind}`), {
        code: 'testing-fault-does-not-fit',
      })
    }
    this.#places.set(path, { ...place, fault: whole, times })
  }

  /** @param path - Without the query; for OCSP by GET, the request in base64 is what follows. */
  find(path: string): readonly [place: Place, rest: string] | undefined {
    const exact = this.#places.get(path)
    if (exact !== undefined) return [exact, '']
    for (let end = path.lastIndexOf('/'); end >= 0; end = path.lastIndexOf('/', end - 1)) {
      // A base64 text may hold slashes itself, and the path of the route may be the root.
      const place = this.#places.get(path.slice(0, end)) ?? this.#places.get(path.slice(0, end + 1))
      if (place !== undefined && 'ocspOf' in place.content) return [place, path.slice(end + 1)]
      if (end === 0) break
    }
    return undefined
  }
}

function fits({ kind }: ResponderFault, content: ResponderContent): boolean {
  if (kind === 'wrong-nonce') return 'ocspOf' in content
  if (kind === 'stale' || kind === 'wrong-signer') return !('body' in content)
  return true
}

interface Exchange {
  readonly response: ServerResponse
  readonly port: number
}

interface Content {
  readonly body: Uint8Array
  readonly contentType: string
  readonly headers: { readonly [name: string]: string }
}

async function answer(paths: Paths, request: ResponderRequest, exchange: Exchange): Promise<void> {
  const { response } = exchange
  const [path = '', query] = request.path.split('?')
  const found = paths.find(path)
  if (found === undefined) return sendStatus(response, 404)
  const [place, rest] = found
  const fault = query === redirected ? undefined : faultOf(place)
  if (fault !== undefined && failAtOnce(fault, path, exchange)) return
  const contentType = contentTypeOf(place.content)
  if (fault?.kind === 'wrong-content') return send(response, wrongContent, contentType, {})
  if (fault?.kind === 'huge') return sendEndlessly(response, contentType, fault.octets)
  if (fault?.kind === 'gzip-bomb') return sendBomb(response, contentType, fault.octets ?? 2 ** 30)
  if (fault?.kind === 'slow') await pause(response, fault.milliseconds ?? 1_000)
  const content =
    'ocspOf' in place.content
      ? await ocspContent(place.content, request, rest, fault)
      : await fixedContent(place, place.content, fault)
  if (isUnchanged(request, content)) {
    response.writeHead(304, content.headers).end()
    return
  }
  await sendContent(response, content, fault)
}

function faultOf(place: Place): ResponderFault | undefined {
  if (place.fault === undefined || place.times <= 0) return undefined
  place.times--
  return place.fault
}

/** @returns Whether that was all. */
function failAtOnce(fault: ResponderFault, path: string, { response, port }: Exchange): boolean {
  switch (fault.kind) {
    case 'never':
      return true
    case 'reset':
      response.socket?.resetAndDestroy()
      return true
    case 'not-modified':
      response.writeHead(304).end()
      return true
    case 'status':
      if (fault.retryAfter !== undefined) response.setHeader('Retry-After', fault.retryAfter)
      sendStatus(response, fault.status ?? 500)
      return true
    case 'redirect':
      response.setHeader('Location', locationOf(fault.to ?? 'same-host', path, port))
      sendStatus(response, fault.status ?? 302)
      return true
    default:
      return false
  }
}

function locationOf(to: RedirectTarget, path: string, port: number): string {
  if (to === 'loop') return path
  if (to === 'same-host') return `${path}?${redirected}`
  return to === 'other-host' ? `http://localhost:${port}${path}?${redirected}` : to
}

/** The query of a path that was redirected to: its fault is over. */
const redirected = 'redirected'

function contentTypeOf(content: ResponderContent): string {
  if ('body' in content) return content.contentType ?? 'application/octet-stream'
  return 'ocspOf' in content ? 'application/ocsp-response' : 'application/pkix-crl'
}

/** A body or a list, issued once, with what a client may ask back with: RFC 9110 §8.8. */
async function fixedContent(
  { version, issued }: Place,
  content: Exclude<ResponderContent, OcspContent>,
  fault: ResponderFault | undefined,
): Promise<Content> {
  const kind = fault?.kind === 'stale' || fault?.kind === 'wrong-signer' ? fault.kind : 'right'
  const body = issued.get(kind) ?? bodyOf(content, kind)
  issued.set(kind, body)
  return {
    body: await body,
    contentType: contentTypeOf(content),
    headers: {
      ETag: `"${version}-${kind}"`,
      'Last-Modified': new Date((testTime + version) * 1000).toUTCString(),
    },
  }
}

async function bodyOf(
  content: Exclude<ResponderContent, OcspContent>,
  kind: 'right' | 'stale' | 'wrong-signer',
): Promise<Uint8Array> {
  if ('body' in content) return content.body
  const { options = {} } = content
  const signer = 'crlOf' in content ? content.crlOf : content.deltaCrlOf
  const issue = 'crlOf' in content ? issueCrl : issueDeltaCrl
  const changes =
    kind === 'stale'
      ? staleUpdates(options)
      : kind === 'wrong-signer'
        ? { signingKey: anotherKey(signer.key) }
        : {}
  return (await issue(signer, { ...options, ...changes })).der
}

/** RFC 6960 §4.2.2.3: unauthorized when nothing that was asked for is of this CA. */
async function ocspContent(
  content: OcspContent,
  request: ResponderRequest,
  rest: string,
  fault: ResponderFault | undefined,
): Promise<Content> {
  const { ocspOf: ca, options = {} } = content
  const asked = request.method === 'POST' ? request.body : octetsOfPath(rest)
  const question = asked === undefined ? undefined : readOcspRequest(asked)
  const respond = async (changes: OcspResponseOptions): Promise<Content> => ({
    body: (await issueOcspResponse(ca, { ...changes, ...options, ...faulty })).der,
    contentType: contentTypeOf(content),
    headers: {},
  })
  const updates = fault?.kind === 'stale' ? staleUpdates(options) : {}
  const faulty: OcspResponseOptions =
    fault?.kind === 'stale'
      ? updates
      : fault?.kind === 'wrong-signer'
        ? { signingKey: anotherKey((options.signer ?? ca).key) }
        : fault?.kind === 'wrong-nonce'
          ? { nonce: asciiBytes('nobody asked for this') }
          : {}
  if (question === undefined) return respond({ responseStatus: 'malformedRequest' })
  const ours = await Promise.all(question.certIDs.map((certID) => isOf(ca, certID)))
  if (!ours.includes(true)) return respond({ responseStatus: 'unauthorized' })
  const responses = question.certIDs.map((certID, i) =>
    ours[i]
      ? { ...statusOf(content, certID), ...updates }
      : ({ certID: certID.der, certStatus: 'unknown' } as const),
  )
  const nonce = content.nonce === 'absent' ? undefined : question.nonce
  return respond({ responses, ...(nonce === undefined ? {} : { nonce }) })
}

function octetsOfPath(rest: string): Uint8Array | undefined {
  try {
    return decodeBase64(decodeURIComponent(rest))
  } catch (error) {
    if (error instanceof URIError) return undefined
    throw error
  }
}

async function isOf(ca: CertificateAuthority, certID: AskedCertID): Promise<boolean> {
  const hashes = Object.keys(certIDHashes) as readonly CertIDHash[]
  const hash = hashes.find((name) => certIDHashes[name] === certID.hashAlgorithm)
  if (hash === undefined) return false
  const { name, key } = await issuerHashes(ca, hash, signerOf(ca).hierarchy.crypto)
  return bytesEqual(name, certID.issuerNameHash) && bytesEqual(key, certID.issuerKeyHash)
}

function statusOf(content: OcspContent, { der, serialNumber }: AskedCertID): SingleResponseInput {
  const { statuses = [], otherwise = 'good' } = content
  const { certStatus = 'good', ...fields } = statuses.find((one) =>
    bytesEqual(serialNumberOf(one), serialNumber),
  ) ?? { certStatus: otherwise }
  return { ...fields, certID: der, certStatus }
}

function serialNumberOf(
  input: Exclude<SingleResponseInput, { readonly certID: Uint8Array }>,
): Uint8Array {
  if ('certificate' in input) return input.certificate.tbsCertificate.serialNumber
  const { serialNumber } = input
  return serialNumber instanceof Uint8Array ? serialNumber : integerContents(serialNumber)
}

/** Of the same kind, so that nothing but the signature is wrong. */
function anotherKey({ id, kind }: TestKey): TestKey {
  const last = poolKey(kind, poolSize(kind) - 1)
  return last.id === id ? poolKey(kind, poolSize(kind) - 2) : last
}

/** RFC 9110 §13.1.2 and RFC 9110 §13.1.3: the second counts only without the first. */
function isUnchanged({ headers }: ResponderRequest, content: Content): boolean {
  const { ETag: tag, 'Last-Modified': modified } = content.headers
  if (tag === undefined || modified === undefined) return false
  const wanted = headers['if-none-match']
  if (wanted !== undefined) return String(wanted).split(/, */).includes(tag)
  const since = headers['if-modified-since']
  return since !== undefined && Date.parse(String(since)) >= Date.parse(modified)
}

async function sendContent(
  response: ServerResponse,
  { body, contentType, headers }: Content,
  fault: ResponderFault | undefined,
): Promise<void> {
  if (response.destroyed) return
  switch (fault?.kind) {
    case 'gzip': {
      const compressed = builtin('node:zlib').gzipSync(body)
      return send(response, compressed, contentType, { ...headers, 'Content-Encoding': 'gzip' })
    }
    case 'wrong-type':
      return send(response, body, fault.contentType ?? 'text/html', headers)
    case 'truncated':
      writeHead(response, body.length, contentType, headers)
      response.write(body.subarray(0, body.length >> 1), () => response.socket?.destroy())
      return
    case 'drip':
      writeHead(response, body.length, contentType, headers)
      for (let i = 0; i < body.length && !response.destroyed; i++) {
        response.write(body.subarray(i, i + 1))
        await pause(response, fault.milliseconds ?? 10)
      }
      response.end()
      return
    default:
      return send(response, body, contentType, headers)
  }
}

function send(
  response: ServerResponse,
  body: Uint8Array,
  contentType: string,
  headers: Content['headers'],
): void {
  writeHead(response, body.length, contentType, headers)
  response.end(body)
}

function writeHead(
  response: ServerResponse,
  length: number,
  contentType: string,
  headers: Content['headers'],
): void {
  response.writeHead(200, { 'Content-Type': contentType, 'Content-Length': length, ...headers })
}

function sendStatus(response: ServerResponse, status: number, text = ''): void {
  response.writeHead(status, { 'Content-Type': 'text/plain' }).end(text)
}

/** Begins like a SEQUENCE of 2^31 - 1 octets. */
async function sendEndlessly(
  response: ServerResponse,
  contentType: string,
  octets: number = Number.POSITIVE_INFINITY,
): Promise<void> {
  response.writeHead(200, { 'Content-Type': contentType })
  const chunk = new Uint8Array(65_536)
  let left = octets
  let next = concatBytes(Uint8Array.of(0x30, 0x84, 0x7f, 0xff, 0xff, 0xff), chunk)
  while (left > 0 && !response.destroyed) {
    const isTaken = response.write(next.subarray(0, left))
    left -= next.length
    next = chunk
    if (!isTaken) await drained(response)
  }
  response.end()
}

/** A gzip file may have several members, so that a large one is a small one many times. RFC 1952 §2.2 */
function sendBomb(response: ServerResponse, contentType: string, octets: number): void {
  const { gzipSync } = builtin('node:zlib')
  const member = new Uint8Array(Math.min(octets, 2 ** 24))
  const whole = Math.floor(octets / member.length)
  const compressed = gzipSync(member)
  const rest = gzipSync(member.subarray(0, octets - whole * member.length))
  const members: Uint8Array[] = Array.from({ length: whole }, () => compressed)
  const body = concatBytes(...members, rest)
  send(response, body, contentType, { 'Content-Encoding': 'gzip' })
}

const wrongContent = asciiBytes('<!doctype html><title>Sign in</title><p>Sign in to go on.')

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done)
      response.off('close', done)
      resolve()
    }
    response.on('drain', done)
    response.on('close', done)
  })
}

/** Ends early when the client or the responder does. */
function pause(response: ServerResponse, milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      response.off('close', done)
      resolve()
    }
    const timer = setTimeout(done, milliseconds)
    response.on('close', done)
  })
}

function receive(incoming: IncomingMessage, done: (request: ResponderRequest) => void): void {
  const { method = '', url = '', headers } = incoming
  const chunks: Uint8Array[] = []
  incoming.on('data', (chunk: Uint8Array) => chunks.push(chunk))
  incoming.on('end', () => done({ method, path: url, headers, body: concatBytes(...chunks) }))
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.on('error', reject)
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

interface NodeModules {
  'node:http': typeof import('node:http')
  'node:zlib': typeof import('node:zlib')
}

/** An import by name would break whoever bundles the test PKI for another runtime. */
function builtin<M extends keyof NodeModules>(name: M): NodeModules[M] {
  const { process } = globalThis as {
    process?: { getBuiltinModule?: (name: M) => NodeModules[M] | undefined }
  }
  const module = process?.getBuiltinModule?.(name)
  if (module !== undefined) return module
  throw Object.assign(new TypeError(`${name} is not here`), { code: 'testing-needs-node' })
}
