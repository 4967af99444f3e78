/** The commands that serve: `serve`, `manager`, `gateway`. What they need beyond this package is loaded when one of them runs. @module */

import { type Command, Option } from 'commander'
import { parseRange } from '../http/address-range.ts'
import { type Io, UsageError } from './io.ts'
import { list } from './revocation-commands.ts'
import { parseCount } from './settings.ts'

export interface ServeFlags {
  readonly host: string
  readonly port: number
  readonly gatewayPort?: number
  readonly data: string
  readonly environment: string
  readonly demo: boolean
  readonly logLevel: string
  readonly json?: true
}

export interface ManagerFlags {
  readonly database?: string
  readonly databaseFile?: string
  readonly host: string
  readonly port: number
  readonly signingKey: string
  readonly adminTokenFile: string
  readonly tlsCertificate?: string
  readonly tlsKey?: string
  readonly trustedProxy?: readonly string[]
  readonly logLevel: string
  readonly json?: true
}

export interface GatewayFlags {
  readonly environment: string
  readonly manager: string
  readonly tokenFile?: string
  readonly managerKey: string
  readonly managerCa?: string
  readonly name?: string
  readonly data: string
  readonly listen?: readonly string[]
  readonly listenWithout?: readonly string[]
  readonly certificate: readonly string[]
  readonly key: readonly string[]
  readonly advertise: 'anchors' | 'none'
  readonly metricsListen?: string
  readonly logLevel: string
  readonly json?: true
}

export function addServerCommands(program: Command, done: (code: number) => void, io: Io): void {
  program
    .command('serve')
    .description('a manager and a gateway in one process, with a demo project at the first start')
    .option('--host <address>', 'where both listen', '127.0.0.1')
    .option('--port <port>', 'of the management API; 0: a free one', parsePort('--port'), 8080)
    .option(
      '--gateway-port <port>',
      'of the gateway (default: 8443; a free one with --port 0)',
      parsePort('--gateway-port'),
    )
    .option('--data <folder>', 'database, keys and certificates', 'mtls-policy-data')
    .option('--environment <name>', 'which one the gateway serves', 'production')
    .option('--no-demo', 'make no demo project')
    .addOption(logLevel('on standard error; JSON lines, unless a terminal reads them', 'warn'))
    .option('--json', 'one line, when both are ready: {"url","gatewayUrl","token"}')
    .addHelpText('after', production)
    .action(async (flags: ServeFlags) => done(await (await server()).serve(flags, io)))

  program
    .command('manager')
    .description('the management API, over SQLite or PostgreSQL')
    .option('--database <url>', 'file:PATH or postgres://…; or in MTLS_POLICY_DATABASE')
    .option(
      '--database-file <file>',
      'in which that URL is: a password in it is seen by nobody else',
    )
    .option('--host <address>', 'where it listens', '127.0.0.1')
    .option('--port <port>', '0: a free one', parsePort('--port'), 8080)
    .option('--signing-key <file>', 'Ed25519, PEM; made if absent', 'mtls-policy-signing-key.pem')
    .option('--admin-token-file <file>', 'where the first token goes', 'mtls-policy-admin-token')
    .option('--tls-certificate <file>', 'PEM; without it, plain HTTP')
    .option('--tls-key <file>', 'PEM')
    .option(
      '--trusted-proxy <cidr>',
      'a balancer, whose X-Forwarded-For says who the client is; may be repeated',
      parseTrustedProxy,
    )
    .addOption(logLevel())
    .option('--json', 'one line, when it is ready: {"url"}')
    .addHelpText('after', production)
    .action(async (flags: ManagerFlags) => done(await (await server()).manager(flags, io)))

  program
    .command('gateway')
    .description('ends mutual TLS, enforces what was deployed, forwards to the upstream')
    .option('--environment <name>', 'whose deployments it enforces; required')
    .option('--manager <url>', 'where the manager answers; required')
    .option('--token-file <file>', 'a token with the right gateway; or in MTLS_POLICY_TOKEN')
    .option(
      '--manager-key <file>',
      "the manager's public key, PEM: the file NAME.pub beside its key; required",
    )
    .option(
      '--manager-ca <file>',
      "who signed the manager's certificate, PEM (default: public CAs)",
    )
    .option('--name <name>', 'how it calls itself (default: the host name)')
    .option('--data <folder>', 'the last good deployments', 'mtls-policy-gateway')
    .option(
      '--listen <[host:]port>',
      'asks for client certificates; may be repeated (default: 8443)',
      list,
    )
    .option('--listen-without <[host:]port>', 'does not ask; may be repeated', list)
    .option('--certificate <file>', 'of the gateway, PEM; one for each --key; required', list)
    .option('--key <file>', 'PEM; required', list)
    .addOption(
      new Option('--advertise <what>', 'CA names that are sent to clients')
        .choices(['anchors', 'none'])
        .default('anchors'),
    )
    .option('--metrics-listen <[host:]port>', '/metrics, /health and /ready')
    .addOption(logLevel())
    .option(
      '--json',
      'one line, when it is ready: {"listeners"}; {"listeners","metrics"} with --metrics-listen',
    )
    .addHelpText('after', production)
    .action(async (flags: Partial<GatewayFlags>) => {
      if (!hasRequired(flags)) throw missing(required.filter((name) => flags[name] === undefined))
      done(await (await server()).gateway(flags, io))
    })
}

/** Looked for here: commander would ask for them before it says that another option is unknown. */
const required = ['environment', 'manager', 'managerKey', 'certificate', 'key'] as const

function hasRequired(flags: Partial<GatewayFlags>): flags is GatewayFlags {
  return required.every((name) => flags[name] !== undefined)
}

function missing(names: readonly (typeof required)[number][]): UsageError {
  const options = names.map((name) => (name === 'managerKey' ? '--manager-key' : `--${name}`))
  return new UsageError(
    'usage-missing-option',
    `not given: ${options.join(', ')}`,
    'gateway --help says what each of them is',
  )
}

const production = `
In production: run \`mtls-policy manager\` over PostgreSQL (--database), behind TLS (--tls-certificate, --tls-key), two or
more of them with the same --signing-key; \`mtls-policy gateway\` on every machine that clients reach, each with a token of
its own that has the right gateway; a data folder that survives a restart. \`serve\` is for one machine: keep --data, back
it up, and put your own certificates, projects and tokens in the place of the demo's. SIGTERM finishes what is under way.

A refused client is told an id; the log (--log-level) has who it was and why. Metrics for Prometheus: the manager's at
/metrics of its port, those of \`serve\` with the gateway's; a gateway's at --metrics-listen.

Exit codes: 0 stopped when asked to, 2 wrong usage or something that cannot be opened.`

function logLevel(what = 'on standard error, as JSON lines', level = 'info'): Option {
  return new Option('--log-level <level>', what)
    .choices(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default(level)
}

function parsePort(option: string): (text: string) => number {
  const parse = parseCount(option)
  return (text) => {
    const port = parse(text)
    if (port <= 65535) return port
    throw new UsageError(
      'usage-invalid-value',
      `${option}: ${text} is no port`,
      'a port is a number from 0 to 65535',
    )
  }
}

function parseTrustedProxy(text: string, before?: readonly string[]): readonly string[] {
  const range = parseRange(text)
  if (typeof range !== 'string') return list(text, before)
  throw new UsageError(
    'usage-invalid-value',
    `--trusted-proxy: ${range}`,
    'write an IP address or a CIDR range: 10.0.0.7, 10.0.0.0/24, fd00::/64',
  )
}

/** What serving needs is not among the dependencies: who only checks certificates installs none of it. */
async function server(): Promise<typeof import('./server.ts')> {
  try {
    return await import('./server.ts')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND'))
      throw error
    throw new UsageError(
      'packages-missing',
      `a package that serving needs is not installed: ${error.message.split('\n')[0]}`,
      `npm install ${serverPackages.join(' ')}`,
    )
  }
}

/** The optional peers that a server needs, with the versions that run on Node 20. */
const serverPackages = [
  'hono@4',
  '@hono/node-server@2',
  '@hono/zod-openapi@1',
  'zod@4',
  'kysely@0.28',
  'libsql@0.5',
  'pg@8',
  'pino@10',
  'prom-client@15',
]
