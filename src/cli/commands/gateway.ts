/** `gateway`: ends mutual TLS, enforces what was deployed to an environment, forwards to the upstreams. @module */

import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { Server } from 'node:http'
import { hostname } from 'node:os'
import { resolve } from 'node:path'
import type { CertificateFiles, ListenerOptions } from '../../gateway/index.ts'
import { readCertificateInput } from '../../x509/input.ts'
import { parseCertificate } from '../../x509/parse-certificate.ts'
import { type Io, UsageError } from '../io.ts'
import type { GatewayFlags } from '../server-commands.ts'
import { addressOf } from '../serving/address.ts'
import { withClosers } from '../serving/closers.ts'
import { loggerOf } from '../serving/logger.ts'
import { startMetrics } from '../serving/metrics-server.ts'
import { runGateway } from '../serving/run-gateway.ts'
import { onHangUp, stopped } from '../serving/stop.ts'
import { checkTlsPair } from '../serving/tls-pair.ts'

export function gateway(flags: GatewayFlags, io: Io): Promise<number> {
  return withClosers((opened) => enforceUntilStopped(flags, io, opened))
}

async function enforceUntilStopped(
  flags: GatewayFlags,
  io: Io,
  opened: (close: () => unknown) => void,
): Promise<number> {
  const { environment, manager, name = hostname(), listen = ['8443'], listenWithout = [] } = flags
  const read = async (file: string): Promise<string> =>
    await readFile(resolve(io.cwd, file), 'utf8')
  const certificates = await pairsOf(flags, io)
  const listeners: ListenerOptions[] = [
    ...listen.map((text) => ({
      ...addressOf('--listen', text),
      clientCertificate: 'request' as const,
      advertise: flags.advertise,
      certificates,
    })),
    ...listenWithout.map((text) => ({
      ...addressOf('--listen-without', text),
      clientCertificate: 'none' as const,
      advertise: 'none' as const,
      certificates,
    })),
  ]
  const metricsAt =
    flags.metricsListen === undefined
      ? undefined
      : addressOf('--metrics-listen', flags.metricsListen)
  const logger = loggerOf(flags.logLevel, io)
  if (isPlainElsewhere(manager)) {
    const text = 'the token goes to the manager over plain HTTP: anybody on the way can read it'
    logger.warn({ manager: new URL(manager).origin }, text)
  }
  // Closed last: whoever balances asks it while the gateway drains.
  let metrics: Server | undefined
  opened(() => {
    metrics?.close()
    metrics?.closeAllConnections()
  })
  const running = await runGateway({
    environment,
    managerUrl: manager,
    token: await tokenOf(flags, io),
    name,
    publicKey: await read(flags.managerKey),
    folder: resolve(io.cwd, flags.data),
    ca: flags.managerCa === undefined ? undefined : await read(flags.managerCa),
    listeners,
    logger,
  })
  opened(() => running.stop())
  if (metricsAt !== undefined) {
    metrics = await startMetrics(running, metricsAt.host, metricsAt.port)
  }
  // Whoever is told that it runs may stop it at once.
  const stop = stopped()
  const { addresses } = running.gateway
  if (flags.json)
    io.stdout.write(`${JSON.stringify({ listeners: addresses, metrics: metrics?.address() })}\n`)
  else {
    const where = addresses.map(({ host, port }) => `${host}:${port}`).join(', ')
    io.stdout.write(`gateway ${name} of ${environment} listens on ${where}\n`)
  }
  // The files are looked at every second: a hang-up only must not end the process.
  opened(onHangUp(() => logger.info('certificates and token are read whenever they change')))
  const signal = await stop
  logger.info({ signal }, 'draining')
  return 0
}

/** Whether it is asked without TLS, and is not on this machine. */
function isPlainElsewhere(url: string): boolean {
  if (!URL.canParse(url)) return false
  const { protocol, hostname } = new URL(url)
  return protocol === 'http:' && !/^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname)
}

/** From the file, which may be replaced while the gateway runs, or from the environment. */
async function tokenOf(
  { tokenFile }: GatewayFlags,
  { cwd, env }: Io,
): Promise<string | (() => string)> {
  const { MTLS_POLICY_TOKEN: given } = env
  if (tokenFile !== undefined) {
    const file = resolve(cwd, tokenFile)
    let token = (await readFile(file, 'utf8')).trim()
    return () => {
      try {
        token = readFileSync(file, 'utf8').trim() || token
      } catch {
        // While it is being replaced there may be none: the last one is as good as it was.
      }
      return token
    }
  }
  if (given !== undefined && given !== '') return given
  throw new UsageError(
    'usage-missing-option',
    'there is no token for the manager',
    'give --token-file FILE, or set MTLS_POLICY_TOKEN; the token needs the right gateway for the environment',
  )
}

async function pairsOf(
  { certificate, key }: GatewayFlags,
  { cwd }: Io,
): Promise<readonly CertificateFiles[]> {
  if (certificate.length !== key.length) {
    throw new UsageError(
      'options-conflict',
      `${certificate.length} --certificate and ${key.length} --key`,
      'give one --key for each --certificate, in the same order',
    )
  }
  const pairs = await Promise.all(
    certificate.map(async (file, index) => {
      const keyFile = key[index] as string
      const cert = resolve(cwd, file)
      const content = await readFile(cert)
      const names = namesIn(content, file)
      checkTlsPair(
        { option: '--certificate', file, content },
        { option: '--key', file: keyFile, content: await readFile(resolve(cwd, keyFile)) },
      )
      return { names, cert, key: resolve(cwd, keyFile) }
    }),
  )
  // A name that two of them have is the first one's.
  const taken = new Set<string>()
  return pairs.map(({ names, ...files }) => {
    const hosts = names.filter((name) => !taken.has(name))
    for (const name of hosts) taken.add(name)
    return { ...files, hosts }
  })
}

/** Host names of the first certificate: RFC 9525 §6.3. */
function namesIn(octets: Uint8Array, file: string): readonly string[] {
  const read = readCertificateInput(octets)
  const first = read.ok ? read.value.certificates[0] : undefined
  const parsed = first === undefined ? undefined : parseCertificate(first)
  if (parsed?.ok !== true) {
    throw new UsageError(
      'certificate-unreadable',
      `--certificate ${file} is no certificate`,
      "give the gateway's own certificate in PEM, the CAs above it after it",
    )
  }
  const { subjectAltName } = parsed.value.tbsCertificate.extensions
  return (subjectAltName?.names ?? []).flatMap((name) =>
    name.kind === 'dNSName' ? [name.value.toLowerCase()] : [],
  )
}
