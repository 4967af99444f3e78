/** The same small application under several servers, over TLS of its own or behind a proxy that writes headers. @module */

import http, { type RequestListener, type Server } from 'node:http'
import http2, { type Http2SecureServer } from 'node:http2'
import https, { type ServerOptions } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import express from 'express'
import fastify from 'fastify'
import { WebSocketServer } from 'ws'
import * as forExpress from '../../src/http/express.ts'
import * as forFastify from '../../src/http/fastify.ts'
import type { Decision, GuardOptions } from '../../src/http/index.ts'
import * as forNode from '../../src/http/node-http.ts'

export interface Running {
  readonly port: number
  readonly server: Server | Http2SecureServer
  readonly stop: () => Promise<void>
}

/** Options of Node's own server, beside what the middleware takes. With a `key` it is one of TLS. */
export type Start = (options: GuardOptions, server: object) => Promise<Running>

/** Every handler answers at once, without a look at the body: who the client is. */
function subjectOf(decision: Decision | undefined): string {
  return decision?.identity?.subject ?? 'nobody'
}

const withExpress: Start = (options, server) => {
  const app = express()
  app.use(forExpress.mtls(options))
  app.use((request, response) => {
    response.send(subjectOf(request.clientCertificate))
  })
  return listen(make(server, app))
}

const withNode: Start = (options, server) => {
  const guard = forNode.mtls(options)
  return listen(
    make(
      server,
      guard.protect((request, response) => {
        response.end(subjectOf(request.clientCertificate))
      }),
    ),
  )
}

const withFastify: Start = async (options, server) => {
  const app = fastify({ serverFactory: (handler: RequestListener) => make(server, handler) })
  app.register(forFastify.mtls(options))
  app.addContentTypeParser('*', (_request, _body, done) => done(null))
  app.all('/*', async ({ clientCertificate }) => subjectOf(clientCertificate))
  await app.ready()
  return listen(app.server)
}

export const http1Servers: readonly (readonly [string, Start])[] = [
  ['Express', withExpress],
  ['Fastify', withFastify],
  ['a server of Node', withNode],
]

export const startHttp2: Start = (options, server) => {
  const guard = forNode.mtls(options)
  return listen(
    http2.createSecureServer(
      server,
      guard.protect((request, response) => {
        response.end(subjectOf(request.clientCertificate))
      }),
    ),
  )
}

/** Upgrades to WebSocket, and no handler of requests. */
export const startUpgrades: Start = (options, server) => {
  const guard = forNode.mtls(options)
  const sockets = new WebSocketServer({ noServer: true })
  const upgraded = make(server, (_request, response) => response.writeHead(426).end())
  upgraded.on('upgrade', async (request, socket, head) => {
    const decision = await guard.upgrade(request, socket)
    if (!decision.allowed) return
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on('error', () => {})
      guard.watch(request, webSocket)
    })
  })
  return listen(upgraded)
}

function make(server: object, listener: RequestListener): Server {
  return 'key' in server
    ? https.createServer(server as ServerOptions, listener)
    : http.createServer(server, listener)
}

async function listen(server: Running['server']): Promise<Running> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  }
  return { port: (server.address() as AddressInfo).port, server, stop }
}
