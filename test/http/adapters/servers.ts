/** Each framework with its middleware, behind the same certificate, with the same handler. @module */

import http2, { type Http2SecureServer } from 'node:http2'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import express5 from 'express'
// @ts-expect-error: the types are those of Express 5; what is used here is the same.
import express4 from 'express4'
import fastify from 'fastify'
import { Hono } from 'hono'
import Koa from 'koa'
import * as forExpress from '../../../src/http/express.ts'
import * as forFastify from '../../../src/http/fastify.ts'
import * as forFetch from '../../../src/http/fetch.node.ts'
import * as forHono from '../../../src/http/hono.node.ts'
import type { Decision, GuardOptions } from '../../../src/http/index.ts'
import * as forKoa from '../../../src/http/koa.ts'
import * as forNode from '../../../src/http/node-http.ts'
import type { World } from './world.ts'

export interface Running {
  readonly port: number
  readonly update: (options: GuardOptions) => void
  readonly stop: () => Promise<void>
}

export type Start = (world: World, options: GuardOptions) => Promise<Running>

/** What a handler saw. */
export interface Seen {
  readonly subject: string | undefined
  readonly verified: boolean
  readonly id: string
  readonly header: unknown
  readonly twin: unknown
  readonly raw: readonly string[]
  /** Names of the headers that a proxy writes. */
  readonly forwarded: readonly string[]
  readonly body: string
}

function seen(
  decision: Decision | undefined,
  headers: Readonly<Record<string, unknown>>,
  raw: readonly string[],
  body: string,
): Seen {
  return {
    subject: decision?.identity?.subject,
    verified: decision?.verified === true,
    id: decision?.id ?? '',
    header: headers['x-client-subject'],
    twin: headers.x_client_subject,
    raw: raw.filter((text) => /^x.client.subject$/i.test(text)),
    forwarded: [...raw, ...Object.keys(headers)].filter((text) => /^client.cert/i.test(text)),
    body,
  }
}

async function read(stream: AsyncIterable<Buffer>): Promise<string> {
  let text = ''
  for await (const part of stream) text += part.toString()
  return text
}

const tls = ({ server }: World) => ({ ...server, requestCert: true, rejectUnauthorized: false })

async function listen(
  server: Server | Http2SecureServer,
  update: Running['update'],
): Promise<Running> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { port, update, stop: () => stop(server) }
}

async function stop(server: Server | Http2SecureServer): Promise<void> {
  if ('closeAllConnections' in server) server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
}

function express(make: typeof express5): Start {
  return async (world, options) => {
    const guard = forExpress.mtls(options)
    const app = make()
    // Below a path, so that the router cuts it off the URL.
    app.use('/api', guard)
    app.all(/.*/, async (request, response) => {
      const { clientCertificate, headers, rawHeaders } = request
      response.json(seen(clientCertificate, headers, rawHeaders, await read(request)))
    })
    return listen(createServer(tls(world), app), guard.update)
  }
}

const nodeHttp =
  (make: (options: object, handler: never) => Server | Http2SecureServer): Start =>
  async (world, options) => {
    const guard = forNode.mtls(options)
    const handler = guard.protect(async (request, response) => {
      const { clientCertificate, headers, rawHeaders } = request
      response.end(
        JSON.stringify(seen(clientCertificate, headers, rawHeaders, await read(request))),
      )
    })
    return listen(make(tls(world), handler as never), guard.update)
  }

const fastifyOver =
  (http2: boolean): Start =>
  async (world, options) => {
    const guard = forFastify.mtls(options)
    const app = fastify({ https: { ...tls(world) }, ...(http2 ? { http2: true } : {}) } as object)
    app.register(guard)
    app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body))
    app.all('/api/*', async (request) => {
      const { clientCertificate, headers, raw, body } = request
      return seen(clientCertificate, headers, raw.rawHeaders, String(body ?? ''))
    })
    await app.listen({ port: 0, host: '127.0.0.1' })
    const { port } = app.server.address() as AddressInfo
    return {
      port,
      update: guard.update,
      stop: async () => {
        if (!http2) app.server.closeAllConnections()
        await app.close()
      },
    }
  }

const koa: Start = async (world, options) => {
  const guard = forKoa.mtls(options)
  const app = new Koa()
  app.use(guard)
  app.use(async (context) => {
    const { req, state } = context
    context.body = seen(state.clientCertificate, req.headers, req.rawHeaders, await read(req))
  })
  return listen(createServer(tls(world), app.callback()), guard.update)
}

const hono: Start = async (world, options) => {
  const guard = forHono.mtls(options)
  const app = new Hono<{ Variables: forHono.Variables }>()
  app.use(guard)
  app.all('*', async (context) => {
    const headers = context.req.header()
    const raw = Object.keys(headers)
    return context.json(
      seen(context.get('clientCertificate'), headers, raw, await context.req.text()),
    )
  })
  return overNode(world, app.fetch, guard.update)
}

const fetchHandler: Start = async (world, options) => {
  const handler = async (request: Request, client: forFetch.ClientContext): Promise<Response> => {
    const headers = Object.fromEntries(request.headers)
    const { clientCertificate } = client
    return Response.json(
      seen(clientCertificate, headers, Object.keys(headers), await request.text()),
    )
  }
  const guard = forFetch.mtls<[unknown]>(handler, options)
  return overNode(world, (request, env) => guard(request, env), guard.update)
}

async function overNode(
  world: World,
  fetch: (request: Request, env: unknown) => Response | Promise<Response>,
  update: Running['update'],
): Promise<Running> {
  const options = { createServer, serverOptions: tls(world), port: 0, hostname: '127.0.0.1' }
  const server = await new Promise<Server>((resolve) => {
    const made: unknown = serve({ fetch, ...options } as Parameters<typeof serve>[0], () =>
      resolve(made as Server),
    )
  })
  const { port } = server.address() as AddressInfo
  return { port, update, stop: () => stop(server) }
}

export const http1Servers: readonly (readonly [string, Start])[] = [
  ['Express 5', express(express5)],
  ['Express 4', express(express4)],
  ['Fastify', fastifyOver(false)],
  ['Koa', koa],
  ['Hono', hono],
  ['a fetch handler', fetchHandler],
  ['node:https', nodeHttp(createServer as never)],
]

export const http2Servers: readonly (readonly [string, Start])[] = [
  ['Fastify', fastifyOver(true)],
  ['node:http2', nodeHttp(http2.createSecureServer as never)],
]
