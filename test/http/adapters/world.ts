/** A server certificate, clients of several kinds, and how they ask. @module */

import http2 from 'node:http2'
import { Agent, request } from 'node:https'
import { connect } from 'node:tls'
import { parseIssuerAcl } from '../../../src/acl/index.ts'
import type { DecisionEvent, GuardOptions } from '../../../src/http/index.ts'
import { parseTrustAnchors } from '../../../src/index.node.ts'
import { createKillList, type KillList } from '../../../src/revocation.ts'
import { createPki, type IssuedCertificate, issueCa, type Pki } from '../../../src/testing/index.ts'

export interface World {
  readonly pki: Pki
  readonly server: { readonly key: string; readonly cert: string }
  readonly clients: Readonly<
    Record<ClientName, { readonly cert: string; readonly key: string } | undefined>
  >
  readonly killList: KillList
}

export type ClientName = 'good' | 'second' | 'otherIssuer' | 'foreign' | 'expired' | 'none'

export async function createWorld(): Promise<World> {
  const pki = await createPki()
  const server = await (await issueCa('Server CA')).issue('localhost')
  const foreign = await createPki({ organization: 'Foreign' })
  const other = await pki.root.issueCa('Other Issuing CA')
  const expired = await pki.issuing.issue('client-old', {
    notBefore: Date.now() / 1000 - 2000,
    notAfter: Date.now() / 1000 - 1000,
  })
  return {
    pki,
    server: { key: server.privateKeyPem, cert: server.chainPem },
    clients: {
      good: credentials(pki.client),
      second: credentials(await pki.issuing.issue('client-b')),
      otherIssuer: credentials(await other.issue('client-c')),
      foreign: credentials(foreign.client),
      expired: credentials(expired),
      none: undefined,
    },
    killList: createKillList(),
  }
}

function credentials({ chainPem, privateKeyPem }: IssuedCertificate): {
  cert: string
  key: string
} {
  return { cert: chainPem, key: privateKeyPem }
}

export const type = 'policy-auth-mtls'

type WithPolicies = Extract<GuardOptions, { readonly policies: unknown }>

/** Everybody of the issuing CA; `/admin` for client-a alone; names for what comes after. */
export function optionsOf({ pki, killList }: World, events: DecisionEvent[]): WithPolicies {
  return {
    policies: [
      { type, name: 'everybody' },
      {
        type,
        name: 'admins',
        targetScope: 'ENDPOINT',
        targetEndpoint: '/api/admin',
        targetEndpointHTTPMethod: 'GET',
        clientAcl: 'allow attributes CN=client-a',
      },
    ],
    trustAnchors: parseTrustAnchors(pki.anchorsPem),
    issuerAcl: parseIssuerAcl('allow dn "CN=Example Issuing CA,O=Example"'),
    killList,
    identityHeaders: { 'X-Client-Subject': 'subject' },
    hooks: { decision: (event) => events.push(event) },
  }
}

export interface Asked {
  readonly port: number
  readonly client: ClientName
  readonly path?: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Keeps the connection for the next request. */
  readonly agent?: Agent
}

export interface Answered {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

export function askHttp1(world: World, asked: Asked): Promise<Answered> {
  const { port, client, path = '/api/x', method = 'GET', headers, body, agent } = asked
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      servername: 'localhost',
      port,
      path,
      method,
      headers: { host: `localhost:${port}`, ...headers },
      rejectUnauthorized: false,
      agent: agent ?? new Agent({ maxCachedSessions: 0 }),
      ...world.clients[client],
    }
    const sent = request(options, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part) => parts.push(part))
      response.on('error', reject)
      response.on('end', () => {
        const { statusCode: status = 0, headers } = response
        resolve({ status, headers, body: Buffer.concat(parts).toString() })
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

export function connectHttp2(world: World, { port, client }: Asked): http2.ClientHttp2Session {
  return http2.connect(`https://localhost:${port}`, {
    host: '127.0.0.1',
    servername: 'localhost',
    rejectUnauthorized: false,
    ...world.clients[client],
  })
}

export async function askHttp2(world: World, asked: Asked): Promise<Answered> {
  const session = connectHttp2(world, asked)
  try {
    return await askStream(session, asked)
  } finally {
    session.close()
  }
}

export function askStream(
  session: http2.ClientHttp2Session,
  { path = '/api/x', method = 'GET', headers, body }: Asked,
): Promise<Answered> {
  return new Promise<Answered>((resolve, reject) => {
    session.on('error', reject)
    const stream = session.request({ ':path': path, ':method': method, ...headers })
    let status = 0
    let received: Readonly<Record<string, unknown>> = {}
    const parts: Buffer[] = []
    stream.on('response', (fields) => {
      status = Number(fields[':status'])
      received = fields
    })
    stream.on('data', (part) => parts.push(part))
    stream.on('error', reject)
    stream.on('end', () =>
      resolve({ status, headers: received, body: Buffer.concat(parts).toString() }),
    )
    stream.end(body)
  })
}

/**
 * Sends all of `text` before it reads anything, as simple clients do.
 *
 * @returns What came until the server closed the connection.
 */
export function sendThenRead(
  world: World,
  { port, client }: Asked,
  text: string,
): Promise<{ text: string; error: unknown }> {
  return new Promise((resolve) => {
    const socket = connect({
      host: '127.0.0.1',
      servername: 'localhost',
      port,
      rejectUnauthorized: false,
      ...world.clients[client],
    })
    const parts: Buffer[] = []
    let error: unknown
    socket.on('secureConnect', () => {
      socket.pause()
      socket.write(text, () => socket.resume())
    })
    socket.on('data', (part) => parts.push(part))
    socket.on('error', (reason) => {
      error = reason
    })
    socket.on('close', () => resolve({ text: Buffer.concat(parts).toString(), error }))
  })
}
