/** What a gateway is told, and the checks that half a configuration does not pass. @module */

import type { Registry } from 'prom-client'
import { misuse } from '../client/misuse.ts'
import { type Answering, readAnswering } from '../http/answer.ts'
import type { Hooks } from '../http/event.ts'
import type { PrometheusClient } from '../http/metrics/prometheus.ts'

export interface GatewayOptions {
  readonly listeners: readonly ListenerOptions[]
  /** Told of every decision; as for the middleware. */
  readonly hooks?: Hooks | readonly Hooks[] | undefined
  /** A logger of `pino`, or what has its methods. Absent: nothing is logged. */
  readonly logger?: GatewayLogger | undefined
  readonly metrics?: GatewayMetricsOptions | undefined
  readonly limits?: Partial<Limits> | undefined
  readonly upstream?: UpstreamOptions | undefined
  /** Changes to the answer that a refused client gets. */
  readonly answer?: Answering | undefined
}

/** One address, and whether clients are asked for certificates there: HTTP/2 has no way to ask later. */
export interface ListenerOptions {
  readonly host: string
  /** 0: a free one. */
  readonly port: number
  readonly clientCertificate: 'request' | 'none'
  /** Whether the names of the trust anchors are told to clients that are asked; never more than fit into the message. */
  readonly advertise: 'anchors' | 'none'
  /** The first is for clients that name no server, or one that no entry has. */
  readonly certificates: readonly CertificateFiles[]
}

/** Paths of PEM files. Both are read again when they change. */
export interface CertificateFiles {
  /** In lower case; `*.example.com` is one label below `example.com`. */
  readonly hosts: readonly string[]
  /** The server's own certificate first. */
  readonly cert: string
  readonly key: string
}

export interface GatewayMetricsOptions {
  /** `import client from 'prom-client'`. */
  readonly client: PrometheusClient
  /** Default: the client's own. */
  readonly register?: Registry | undefined
}

export interface UpstreamOptions {
  /** CAs of https upstreams, PEM, in place of those that Node trusts. */
  readonly ca?: string | undefined
  /** `Host` of what is forwarded: the client's, which is the default, or that of the upstream's URL. */
  readonly host?: 'kept' | 'upstream' | undefined
}

/** Milliseconds, octets and counts. */
export interface Limits {
  /** Of the TLS handshake; default 10,000. */
  readonly handshakeMs: number
  /** Until a request's head is complete; default 15,000. */
  readonly headMs: number
  /** Between two pieces of a request's body; default 30,000. */
  readonly bodyIdleMs: number
  /** Of a request, until its body is complete; default 300,000. */
  readonly requestMs: number
  /** Between two pieces of an answer, either because the upstream is silent or because the client does not read; default 300,000. */
  readonly answerIdleMs: number
  /** That a connection is kept without a request; default 65,000. */
  readonly keepAliveMs: number
  /** Of a request's header section; default 32,768. */
  readonly maxHeaderBytes: number
  /** Requests at a time on one connection of HTTP/2; default 128. */
  readonly maxConcurrentStreams: number
  /** Connections of each listener; default 100,000. */
  readonly maxConnections: number
  /** Connections to one upstream, where requests wait for their turn; default 1,024. */
  readonly maxUpstreamConnections: number
  /** Between two looks at the files of certificates; default 1,000. */
  readonly reloadMs: number
}

/** What is used of `pino`. */
export interface GatewayLogger {
  debug(facts: object, message: string): void
  info(facts: object, message: string): void
  warn(facts: object, message: string): void
  error(facts: object, message: string): void
  /** Whether lines of this level are written; absent: all are. */
  isLevelEnabled?(level: string): boolean
}

export interface ReadGatewayOptions {
  readonly listeners: readonly ListenerOptions[]
  readonly hooks: readonly Hooks[]
  readonly logger: GatewayLogger
  readonly metrics: GatewayMetricsOptions | undefined
  readonly limits: Limits
  readonly upstream: { readonly ca: string | undefined; readonly host: 'kept' | 'upstream' }
  readonly answer: Answering
}

/** @throws TypeError with a `code` and the `option`. */
export function readGatewayOptions(options: GatewayOptions): ReadGatewayOptions {
  refuseUnknown(options, '', [
    ...['listeners', 'hooks', 'logger', 'metrics', 'limits', 'upstream', 'answer'],
  ])
  const { listeners, hooks = [], logger = silent, metrics, limits = {}, upstream = {} } = options
  if (!Array.isArray(listeners) || listeners.length === 0) {
    throw misuse('option-missing', 'listeners is missing: name at least one', {
      option: 'listeners',
    })
  }
  for (const [index, listener] of listeners.entries()) {
    checkListener(listener, `listeners[${index}]`)
  }
  refuseUnknown(upstream, 'upstream.', ['ca', 'host'])
  const { ca, host = 'kept' } = upstream
  checkChoice(host, 'upstream.host', ['kept', 'upstream'])
  if (metrics !== undefined) {
    refuseUnknown(metrics, 'metrics.', ['client', 'register'])
    if (typeof metrics.client?.Counter !== 'function') {
      throw invalid('metrics.client', 'prom-client')
    }
  }
  return {
    listeners,
    hooks: Array.isArray(hooks) ? [...hooks] : [hooks as Hooks],
    logger,
    metrics,
    limits: readLimits(limits),
    upstream: { ca, host },
    answer: readAnswering(options.answer),
  }
}

function checkListener(listener: ListenerOptions, path: string): void {
  refuseUnknown(listener, `${path}.`, [
    ...['host', 'port', 'clientCertificate', 'advertise', 'certificates'],
  ])
  const { host, port, clientCertificate, advertise, certificates } = listener
  if (typeof host !== 'string' || host === '') throw invalid(`${path}.host`, 'an address')
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw invalid(`${path}.port`, 'a port, or 0')
  }
  checkChoice(clientCertificate, `${path}.clientCertificate`, ['request', 'none'])
  checkChoice(advertise, `${path}.advertise`, ['anchors', 'none'])
  if (clientCertificate === 'none' && advertise === 'anchors') {
    const option = `${path}.advertise`
    const message = `${option}: who is not asked is told nothing; say none`
    throw misuse('options-conflict', message, { option })
  }
  if (!Array.isArray(certificates) || certificates.length === 0) {
    throw invalid(`${path}.certificates`, 'at least one server certificate')
  }
  const taken = new Set<string>()
  for (const [index, one] of certificates.entries()) {
    const at = `${path}.certificates[${index}]`
    refuseUnknown(one, `${at}.`, ['hosts', 'cert', 'key'])
    for (const field of ['cert', 'key'] as const) {
      if (typeof one[field] !== 'string') throw invalid(`${at}.${field}`, 'the path of a file')
    }
    if (!Array.isArray(one.hosts)) throw invalid(`${at}.hosts`, 'host names')
    for (const name of one.hosts) {
      if (typeof name !== 'string' || !certificateHost.test(name)) {
        throw invalid(`${at}.hosts`, 'host names in lower case')
      }
      if (taken.has(name)) throw invalid(`${at}.hosts`, `each host once, not ${name} again`)
      taken.add(name)
    }
  }
}

function readLimits(limits: Partial<Limits>): Limits {
  refuseUnknown(limits, 'limits.', Object.keys(defaultLimits))
  const read = { ...defaultLimits }
  for (const name of Object.keys(defaultLimits) as (keyof Limits)[]) {
    const value = limits[name]
    if (value === undefined) continue
    if (!Number.isSafeInteger(value) || value < 1 || value > longest) {
      throw invalid(`limits.${name}`, `a whole number from 1 to ${longest}`)
    }
    read[name] = value
  }
  return read
}

function refuseUnknown(fields: object, path: string, known: readonly string[]): void {
  if (typeof fields !== 'object' || fields === null) {
    throw invalid(path === '' ? 'options' : path.slice(0, -1), 'an object')
  }
  for (const name of Object.keys(fields)) {
    if (known.includes(name)) continue
    const option = `${path}${name}`
    throw misuse('option-unknown', `unknown option: ${option}`, { option })
  }
}

function checkChoice(value: unknown, option: string, known: readonly string[]): void {
  if (!known.includes(value as string)) throw invalid(option, known.join(' or '))
}

function invalid(option: string, expected: string): TypeError {
  return misuse('option-invalid', `${option} must be ${expected}`, { option })
}

const certificateHost = /^(?:\*\.)?[a-z0-9_](?:[a-z0-9_.-]{0,250}[a-z0-9_])?$/

/** What timers take. */
const longest = 2 ** 31 - 1

export const defaultLimits: Limits = {
  handshakeMs: 10_000,
  headMs: 15_000,
  bodyIdleMs: 30_000,
  requestMs: 300_000,
  answerIdleMs: 300_000,
  keepAliveMs: 65_000,
  maxHeaderBytes: 32_768,
  maxConcurrentStreams: 128,
  maxConnections: 100_000,
  maxUpstreamConnections: 1024,
  reloadMs: 1000,
}

const nothing = (): void => {}
const silent: GatewayLogger = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  isLevelEnabled: () => false,
}
