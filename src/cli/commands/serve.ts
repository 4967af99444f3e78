/** `serve`: manager and gateway in one process on an embedded store, for one machine; with something to try at the first start. @module */

import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { publicKeyPem } from '../../deployment/index.ts'
import { createManagement, serveManagement } from '../../management/index.ts'
import { writeDemoPki } from '../demo-pki.ts'
import type { Io } from '../io.ts'
import { styleOf } from '../render/style.ts'
import type { ServeFlags } from '../server-commands.ts'
import { withClosers } from '../serving/closers.ts'
import { type Call, demoNames, makeDemoProject, moveDemoUpstream } from '../serving/demo-project.ts'
import { startDemoUpstream } from '../serving/demo-upstream.ts'
import { loggerOf } from '../serving/logger.ts'
import { newRegistry } from '../serving/metrics.ts'
import { storeAt } from '../serving/open-store.ts'
import { runGateway } from '../serving/run-gateway.ts'
import { readIfThere, writeSecret } from '../serving/secret-file.ts'
import { signingKeyIn } from '../serving/signing-key.ts'
import { stopped } from '../serving/stop.ts'
import { tokenIn } from '../serving/tokens.ts'
import { shellWord } from './pki.ts'

export function serve(flags: ServeFlags, io: Io): Promise<number> {
  return withClosers((opened) => serveUntilStopped(flags, io, opened))
}

async function serveUntilStopped(
  flags: ServeFlags,
  io: Io,
  opened: (close: () => unknown) => void,
): Promise<number> {
  const { host, port, environment, json } = flags
  const data = resolve(io.cwd, flags.data)
  await mkdir(data, { recursive: true, mode: 0o700 })
  const isWatched = io.stderr.isTTY === true && json !== true
  const logger = loggerOf(flags.logLevel, io, isWatched ? 'people' : 'machines')
  const signingKey = await signingKeyIn(join(data, 'signing-key.pem'))
  const store = await storeAt(`file:${join(data, 'manager.sqlite')}`)
  opened(() => store.close())
  const now = io.now()
  const admin = await tokenIn(join(data, 'admin-token'), {
    store,
    name: 'admin',
    rights: [{ right: 'admin' }],
    now,
  })
  const name = 'gateway-1'
  const gatewayToken = await tokenIn(join(data, 'gateway-token'), {
    store,
    name,
    rights: [{ right: 'gateway', environment }],
    now,
  })
  // One process, one page of metrics: the manager's, with what the gateway counts.
  const metrics = await newRegistry()
  const management = await createManagement({ store, signingKey, logger, metrics })
  opened(() => management.close())
  const call = callOf(management.fetch, admin)
  await call('POST', `/apiops/environments/${environment}/`, {}, [409])

  const pki = join(data, 'pki')
  const isDemo = flags.demo
  const demoState = join(data, 'demo.json')
  const known: { readonly port: number } | undefined =
    JSON.parse((await readIfThere(demoState)) ?? 'null') ?? undefined
  // The gateway needs a certificate of its own in any case.
  if ((await readIfThere(join(pki, 'server.pem'))) === undefined)
    await writeDemoPki(pki, now, { organization: 'Example', key: 'P-256' }, true)
  const upstream = isDemo ? await startDemoUpstream(known?.port ?? 0) : undefined
  opened(() => upstream?.server.close())
  if (upstream !== undefined && upstream.port !== known?.port) {
    if (known === undefined)
      await makeDemoProject(call, { environment, pki, upstreamPort: upstream.port })
    else await moveDemoUpstream(call, environment, upstream.port)
    await writeSecret(demoState, `${JSON.stringify({ port: upstream.port })}\n`)
  }

  const server = await serveManagement({ management, host, port })
  opened(() => server.close())
  const gatewayPort = flags.gatewayPort ?? (port === 0 ? 0 : 8443)
  const running = await runGateway({
    environment,
    managerUrl: server.url,
    token: gatewayToken,
    name,
    publicKey: publicKeyPem(signingKey.publicKey),
    folder: join(data, 'gateway'),
    ca: undefined,
    listeners: [
      {
        host,
        port: gatewayPort,
        clientCertificate: 'request',
        advertise: 'anchors',
        certificates: [
          { hosts: [], cert: join(pki, 'server.pem'), key: join(pki, 'keys/server.key') },
        ],
      },
    ],
    logger,
    metrics,
  })
  opened(() => running.stop())
  await running.subscription.ready
  const boundPort = running.gateway.addresses[0]?.port ?? gatewayPort
  const gatewayUrl = `https://localhost:${boundPort}`
  // Whoever is told that it runs may stop it at once.
  const stop = stopped()
  if (json) io.stdout.write(`${JSON.stringify({ url: server.url, gatewayUrl, token: admin })}\n`)
  else io.stdout.write(welcome({ url: server.url, gatewayUrl, data: flags.data, isDemo }, io))

  await stop
  return 0
}

/** @param accepted - Statuses that are no success and no mistake either. */
function callOf(
  fetch: (request: Request) => Promise<Response>,
  token: string,
): (
  ...[method, path, body, accepted]: [...Parameters<Call>, (readonly number[])?]
) => ReturnType<Call> {
  return async (method, path, body, accepted = []) => {
    const response = await fetch(
      new Request(`http://localhost${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    )
    const text = await response.text()
    if (!response.ok && !accepted.includes(response.status)) {
      throw new Error(`${method} ${path}: ${response.status} ${text}`)
    }
    return text === '' ? undefined : JSON.parse(text)
  }
}

interface Welcome {
  readonly url: string
  readonly gatewayUrl: string
  /** As it was given. */
  readonly data: string
  readonly isDemo: boolean
}

function welcome({ url, gatewayUrl, data, isDemo }: Welcome, io: Io): string {
  const style = styleOf(io.stdout, io)
  const { project, apiProxy, policy } = demoNames
  const file = (path: string): string => shellWord(`${data}/${path}`)
  const client = (name: string): string =>
    `curl --cacert ${file('pki/ca.pem')} --cert ${file(`pki/clients/${name}.pem`)} --key ${file(`pki/keys/${name}.key`)} ${gatewayUrl}/`
  const lines = [
    `${style.green('✓')} management API  ${style.bold(url)}`,
    `${style.green('✓')} gateway         ${style.bold(gatewayUrl)}`,
    `  metrics of both ${url}/metrics`,
    `  data            ${data}: database, keys, tokens; keep it`,
    '',
  ]
  if (!isDemo) return `${lines.join('\n')}\n`
  lines.push(
    `${project} / ${apiProxy} has the policy ${policy}. In another terminal:`,
    '',
    style.dim('# the policies'),
    `curl -H "Authorization: Bearer $(cat ${file('admin-token')})" ${url}/apiops/projects/${project}/apiProxies/${apiProxy}/policies/`,
    style.dim('# a client that may come in'),
    client('client-a'),
    style.dim('# one whose certificate has expired: 401, and this terminal says why'),
    client('expired'),
    '',
    style.dim('Ctrl-C stops both.'),
  )
  return `${lines.join('\n')}\n`
}
