/** Gateways on loopback, with certificates in files, upstreams behind them, and clients of HTTP/1.1 and HTTP/2. */
import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Socket,
  type Server as TcpServer,
} from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConnectionOptions, connect, type SecureVersion, type TLSSocket } from 'node:tls'
import { afterAll, afterEach } from 'vitest'
import { canonicalJson } from '../../src/deployment/canonical.ts'
import { defaultUpstream, type Snapshot } from '../../src/deployment/snapshot.ts'
import { createGateway, type Gateway, type GatewayOptions } from '../../src/gateway/index.ts'
import type { ListenerOptions } from '../../src/gateway/options.ts'
import type { DeployedProxy, GatewayState } from '../../src/gateway/state.ts'
import { createPki, type IssuedCertificate, issueCa, type Pki } from '../../src/testing/index.ts'

export const type = 'policy-auth-mtls'
/** Certificates are validated, issuers are not looked up. */
export const validating = { type, name: 'mtls', validateACLForIssuer: false }

export interface Credentials {
  readonly chainPem: string
  readonly privateKeyPem: string
}

/** Everything that one file of tests shares; ended by `end`. */
export class World {
  readonly pki: Pki
  readonly folder: string
  readonly #endings: (() => unknown)[] = []

  private constructor(pki: Pki, folder: string) {
    this.pki = pki
    this.folder = folder
  }

  static async create(): Promise<World> {
    const pki = await createPki()
    const folder = await mkdtemp(join(tmpdir(), 'mtls-policy-gateway-'))
    return new World(pki, folder)
  }

  /** Files of a certificate for these hosts. */
  async certificate(name: string, hosts: readonly string[]): Promise<Files> {
    const issued = await serverCertificate(hosts)
    return { ...(await this.write(name, issued)), issued }
  }

  async write(name: string, issued: Credentials): Promise<{ cert: string; key: string }> {
    const files = { cert: join(this.folder, `${name}.pem`), key: join(this.folder, `${name}.key`) }
    await writeFile(files.cert, issued.chainPem)
    await writeFile(files.key, issued.privateKeyPem)
    return files
  }

  /**
   * Starts a server on loopback, which ends with the test, and its connections with it.
   *
   * @returns Its port.
   */
  async listen(server: TcpServer): Promise<number> {
    const sockets = new Set<Socket>()
    server.on('connection', (socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => sockets.delete(socket))
    })
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    this.#endings.push(() => {
      server.close()
      for (const socket of sockets) socket.destroy()
    })
    return (server.address() as AddressInfo).port
  }

  async upstream(handler: RequestListener = echo): Promise<Upstream> {
    const server = createServer(handler)
    return { server, url: `http://127.0.0.1:${await this.listen(server)}` }
  }

  /** An upstream that speaks as it likes. */
  async tcpUpstream(connected: (socket: Socket) => void): Promise<string> {
    return `http://127.0.0.1:${await this.listen(createTcpServer(connected))}`
  }

  /** One listener unless others are given. */
  async gateway(
    state: GatewayState | undefined,
    options: Partial<GatewayOptions> & { readonly listener?: Partial<ListenerOptions> } = {},
  ): Promise<Running> {
    const { listener, ...rest } = options
    this.#certificate ??= this.certificate('server', ['api.example', 'other.example'])
    const { cert, key } = await this.#certificate
    const gateway = await createGateway({
      listeners: [
        {
          host: '127.0.0.1',
          port: 0,
          clientCertificate: 'request',
          advertise: 'none',
          certificates: [{ hosts: ['api.example', 'other.example'], cert, key }],
          ...listener,
        },
      ],
      ...rest,
    })
    this.#endings.push(() => gateway.close())
    const result = state === undefined ? undefined : await gateway.apply(state)
    const port = gateway.addresses[0]?.port as number
    return { gateway, port, problems: result?.problems ?? [] }
  }

  /** A gateway before an upstream of its own, for everybody unless `changes` say otherwise. */
  async serve(
    handler: RequestListener = echo,
    changes: Changes = {},
    options: Parameters<World['gateway']>[1] = {},
  ): Promise<Running> {
    const { url } = await this.upstream(handler)
    return this.gateway(stateOf(this.snapshot(url, changes)), options)
  }

  #certificate: Promise<Files> | undefined

  after(ending: () => unknown): void {
    this.#endings.push(ending)
  }

  /** Of one test. */
  async cleanUp(): Promise<void> {
    for (const ending of this.#endings.splice(0).reverse()) await ending()
  }

  async end(): Promise<void> {
    await this.cleanUp()
    await rm(this.folder, { recursive: true, force: true })
  }

  /** A proxy of the project `shop`, under the anchors of this world. */
  snapshot(upstream: string, changes: Changes = {}): Snapshot {
    const { upstream: more = {}, ...rest } = changes
    return {
      version: 1,
      project: 'shop',
      apiProxy: 'orders',
      hosts: ['api.example'],
      basePath: '/',
      upstream: { ...defaultUpstream, url: upstream, ...more },
      policies: { requestPolicyList: [], responsePolicyList: [], errorPolicyList: [] },
      trustAnchors: [Buffer.from(this.pki.root.der).toString('base64')],
      intermediates: [],
      issuerAcl: null,
      revocation: null,
      ...rest,
    }
  }
}

export type Changes = Partial<Omit<Snapshot, 'upstream'>> & {
  readonly upstream?: Partial<Snapshot['upstream']>
}

/** One for a file of tests; what a test has started ends with it. */
export async function openWorld(): Promise<World> {
  const world = await World.create()
  afterEach(() => world.cleanUp())
  afterAll(() => world.end())
  return world
}

interface Files {
  readonly cert: string
  readonly key: string
  readonly issued: IssuedCertificate
}

export interface Upstream {
  readonly server: Server
  readonly url: string
}

export interface Running {
  readonly gateway: Gateway
  readonly port: number
  readonly problems: readonly { readonly code: string; readonly message: string }[]
}

let serverCa: ReturnType<typeof issueCa> | undefined

export async function serverCertificate(hosts: readonly string[]): Promise<IssuedCertificate> {
  serverCa ??= issueCa('Server CA')
  return (await serverCa).issue(hosts[0] as string, {
    subjectAltName: hosts.map((dns) => ({ dns })),
    extendedKeyUsage: ['serverAuth'],
  })
}

export function deployed(snapshot: Snapshot): DeployedProxy {
  return { hash: createHash('sha256').update(canonicalJson(snapshot)).digest('hex'), snapshot }
}

export function stateOf(...snapshots: readonly Snapshot[]): GatewayState {
  return { proxies: snapshots.map(deployed), held: [], crls: [], killList: [] }
}

export function requestPolicies(...list: readonly object[]): Snapshot['policies'] {
  return { requestPolicyList: list, responsePolicyList: [], errorPolicyList: [] }
}

/** What the upstream was asked, as JSON. */
export interface Seen {
  readonly method: string
  readonly url: string
  readonly httpVersion: string
  readonly rawHeaders: readonly string[]
  readonly rawTrailers: readonly string[]
  readonly body: string
}

export const echo: RequestListener = (request: IncomingMessage, response: ServerResponse) => {
  let body = ''
  request.setEncoding('latin1')
  request.on('data', (text: string) => {
    body += text
  })
  request.on('end', () => {
    const { method, url, httpVersion, rawHeaders, rawTrailers } = request
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ method, url, httpVersion, rawHeaders, rawTrailers, body }))
  })
}

/** The values of all lines of this name, whatever its case. */
export function valuesOf(raw: readonly string[], name: string): readonly string[] {
  const values: string[] = []
  for (let at = 0; at + 1 < raw.length; at += 2) {
    if (raw[at]?.toLowerCase() === name.toLowerCase()) values.push(raw[at + 1] ?? '')
  }
  return values
}

export interface Asked {
  readonly client?: Credentials | undefined
  /** The only version of TLS that is spoken. */
  readonly tls?: SecureVersion
  readonly method?: string
  readonly path?: string
  readonly host?: string
  readonly servername?: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string | Buffer
}

export interface Answered {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
  readonly trailers: Readonly<Record<string, string | undefined>>
  /** Interim answers. */
  readonly informed: readonly number[]
}

export type Version = 'HTTP/1.1' | 'HTTP/2'
export const versions: readonly Version[] = ['HTTP/1.1', 'HTTP/2']

/** One request on a connection of its own. */
export function ask(version: Version, port: number, asked: Asked = {}): Promise<Answered> {
  return version === 'HTTP/2' ? askHttp2(port, asked) : askHttp1(port, asked)
}

export function tlsOptions(
  port: number,
  { client, servername = 'api.example', tls }: Asked = {},
): ConnectionOptions & { readonly host: string } {
  return {
    host: '127.0.0.1',
    port,
    // Empty: none is named.
    servername,
    rejectUnauthorized: false,
    ...(client === undefined ? {} : { cert: client.chainPem, key: client.privateKeyPem }),
    ...(tls === undefined ? {} : { minVersion: tls, maxVersion: tls }),
  }
}

function askHttp1(port: number, asked: Asked): Promise<Answered> {
  const { method = 'GET', path = '/', host = 'api.example', headers = {}, body } = asked
  return new Promise((resolve, reject) => {
    const informed: number[] = []
    const request = https.request({
      ...tlsOptions(port, asked),
      agent: false,
      method,
      path,
      headers: { host, ...headers } as Record<string, string>,
    })
    request.on('information', ({ statusCode }) => informed.push(statusCode))
    request.on('error', reject)
    request.on('response', (response) => {
      let text = ''
      response.setEncoding('latin1')
      response.on('data', (chunk: string) => {
        text += chunk
      })
      response.on('error', reject)
      response.on('end', () => {
        const { statusCode = 0, trailers } = response
        resolve({ status: statusCode, headers: response.headers, body: text, trailers, informed })
      })
    })
    request.end(body)
  })
}

async function askHttp2(port: number, asked: Asked): Promise<Answered> {
  const session = await openHttp2(port, asked)
  try {
    return await askOn(session, asked)
  } finally {
    session.destroy()
  }
}

export function openHttp2(port: number, asked: Asked = {}): Promise<http2.ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    const session = http2.connect(`https://${asked.host ?? 'api.example'}`, {
      createConnection: () =>
        connect({ ...tlsOptions(port, asked), ALPNProtocols: ['h2'] }) as TLSSocket,
    })
    session.once('connect', () => resolve(session))
    session.on('error', reject)
  })
}

export function askOn(session: http2.ClientHttp2Session, asked: Asked = {}): Promise<Answered> {
  const { method = 'GET', path = '/', host = 'api.example', headers = {}, body } = asked
  return new Promise((resolve, reject) => {
    const informed: number[] = []
    const stream = session.request(
      {
        ':method': method,
        ':path': path,
        ':authority': host,
        ...(headers as Record<string, string>),
      },
      { endStream: body === undefined },
    )
    let text = ''
    let status = 0
    let received: Answered['headers'] = {}
    let trailers: Answered['trailers'] = {}
    stream.setEncoding('latin1')
    stream.on('headers', (interim) => informed.push(Number(interim[':status'])))
    stream.on('response', (answer) => {
      status = Number(answer[':status'])
      received = answer as Answered['headers']
    })
    stream.on('trailers', (last) => {
      trailers = last as Answered['trailers']
    })
    stream.on('data', (chunk: string) => {
      text += chunk
    })
    stream.on('error', reject)
    stream.on('end', () => resolve({ status, headers: received, body: text, trailers, informed }))
    stream.on('close', () => {
      if (stream.rstCode !== http2.constants.NGHTTP2_NO_ERROR) {
        reject(Object.assign(new Error('reset'), { code: stream.rstCode }))
      }
    })
    if (body !== undefined) stream.end(body)
  })
}

/** Octets as they are, over TLS; what came back until the other side ended it. */
export function raw(port: number, text: string, asked: Asked = {}): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ ...tlsOptions(port, asked), ALPNProtocols: ['http/1.1'] }, () =>
      socket.write(text, 'latin1'),
    )
    let received = ''
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      received += chunk
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(received))
    socket.setTimeout(15_000, () => socket.destroy())
  })
}

export function codeOf({ body }: Pick<Answered, 'body'>): unknown {
  return (JSON.parse(body) as { readonly code?: unknown }).code
}

export function seenIn({ body }: Pick<Answered, 'body'>): Seen {
  return JSON.parse(body) as Seen
}

/** What a gateway logs, in its order. */
export function recordLog() {
  const lines: { level: string; facts: Readonly<Record<string, unknown>>; message: string }[] = []
  const at = (level: string) => (facts: object, message: string) =>
    void lines.push({ level, facts: facts as Record<string, unknown>, message })
  const logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  return { lines, logger }
}

/** Looks until it is so. */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  milliseconds = 5000,
): Promise<void> {
  const end = performance.now() + milliseconds
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error('it did not come to be so')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
