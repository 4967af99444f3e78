/** The command line as a function: arguments in, text out, an exit code back. @module */

import { Command, CommanderError, Option } from 'commander'
import { check } from './commands/check.ts'
import { demo } from './commands/demo.ts'
import { explain } from './commands/explain.ts'
import { type PkiFlags, pki } from './commands/pki.ts'
import { type ProxySnippetFlags, proxySnippet } from './commands/proxy-snippet.ts'
import { type ShowFlags, show } from './commands/show.ts'
import { type Io, invocation, isUsageError } from './io.ts'
import { snippetMakers } from './proxy-snippets/index.ts'
import { writeJson } from './render/json.ts'
import { plain, styleOf, wrap } from './render/style.ts'
import {
  addRevocationCommands,
  list,
  timeOption,
  withRevocationOptions,
} from './revocation-commands.ts'
import { addServerCommands } from './server-commands.ts'
import { type CheckFlags, parseCount, parsePeerName } from './settings.ts'
import { packageVersion } from './version.ts'

/**
 * Runs one command.
 *
 * @param argv - Without the program's own name.
 * @returns 0 accepted, 1 refused, 2 wrong usage or input that cannot be read.
 */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  let code = 0
  const program = programOf(io, (result) => {
    code = result
  })
  try {
    if (argv.length === 0) {
      io.stderr.write(program.helpInformation())
      return 2
    }
    await program.parseAsync([...argv], { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0
    const mistake = usageOf(error, argv, io)
    if (mistake === undefined) throw error
    report(mistake, argv, io)
    return 2
  }
}

interface Mistake {
  readonly code: string
  readonly message: string
  readonly remedy: string
}

/** What the caller did wrong, if it is the caller's mistake. */
function usageOf(error: unknown, argv: readonly string[], io: Io): Mistake | undefined {
  if (isUsageError(error)) {
    return { code: error.code, message: error.message, remedy: error.remedy }
  }
  if (error instanceof CommanderError) {
    const help = `${invocation(io)} ${helpOf(argv)}--help lists what there is`
    const [first = '', ...more] = error.message.replace(/^error: /, '').split('\n')
    const suggestion = more.join(' ').replace(/[()]/g, '').trim()
    const code = commanderCodes[error.code] ?? 'usage-invalid-value'
    if (code === 'usage-unknown-command' && suggestion === '') {
      const remedy = `to judge a certificate: ${invocation(io)} check ${argv[0]} --anchors ca.pem`
      return { code, message: first, remedy }
    }
    return { code, message: first, remedy: suggestion === '' ? help : `${suggestion} ${help}` }
  }
  if (error instanceof Error && 'syscall' in error && error.syscall === 'listen') {
    const remedy = 'name another port, or stop who has this one'
    return { code: 'port-unavailable', message: error.message, remedy }
  }
  // What the operating system says of files and folders.
  if (error instanceof Error && 'syscall' in error) {
    const remedy = 'check the name, and who may read and write there'
    return { code: 'file-unreadable', message: error.message, remedy }
  }
  // What the core says of options: a TypeError with a code of its own registry.
  if (error instanceof TypeError && 'code' in error && typeof error.code === 'string') {
    const option = 'option' in error ? flagOf(String(error.option)) : undefined
    // Node's own mistakes have codes in capitals; those are ours, not the caller's.
    if (!/^[a-z-]+$/.test(error.code)) return undefined
    const remedy = `${invocation(io)} ${helpOf(argv)}--help lists the values`
    return { code: error.code, message: messageOf(error, option), remedy }
  }
  return undefined
}

/** In the words of the command line: an option that the message begins with is called by its flag. */
function messageOf(error: TypeError, flag: string | undefined): string {
  if (flag === undefined || !('option' in error)) return error.message
  const own = `${error.option} `
  return error.message.startsWith(own)
    ? `${flag} ${error.message.slice(own.length)}`
    : `${flag}: ${error.message}`
}

function report({ code, message, remedy }: Mistake, argv: readonly string[], io: Io): void {
  if (argv.includes('--json')) {
    writeJson(
      { command: commandOf(argv), ok: false, error: { code, message, remedy }, results: [] },
      io,
    )
    return
  }
  const style = styleOf(io.stderr, io)
  io.stderr.write(
    `${style.red('error')}: ${wrap(plain(message), style.width, 7)} ${style.dim(`(${code})`)}\n` +
      `${style.cyan('→')} ${wrap(plain(remedy), style.width, 2)}\n`,
  )
}

function programOf(io: Io, done: (code: number) => void): Command {
  const style = styleOf(io.stdout, io)
  const program = new Command('mtls-policy')
    .usage('<command> …')
    .description('Decides whether a client certificate may come in, and says why.')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      // `report` says it, with what to do next.
      outputError: () => undefined,
      getOutHelpWidth: () => (Number.isFinite(style.width) ? style.width : 100),
      getErrHelpWidth: () => 100,
    })
    .helpCommand('help [command]', 'what a command does')
    .option('-V, --version', 'which version this is')
    .on('option:version', () => {
      io.stdout.write(`${packageVersion()}\n`)
      throw new CommanderError(0, 'commander.version', '')
    })
    .addHelpText('after', exitCodes)

  withCheckOptions(
    program
      .command('check')
      .argument('<files...>', 'certificates, folders of them, or - for standard input')
      .description('judge client certificates: the client first, what it sends along after it'),
  )
    .addHelpText('after', exitCodes)
    .action(async (files: string[], flags: CheckFlags) =>
      done(await check(files, { ...noLists, ...flags }, io)),
    )

  withCheckOptions(
    program
      .command('explain')
      .argument('<files...>', 'as for check; or a code, such as crl-expired, to say what it means')
      .description('the same with every path that was tried, the ACLs and both profiles'),
  )
    .addHelpText('after', exitCodes)
    .action(async (files: string[], flags: CheckFlags) =>
      done(await explain(files, { ...noLists, ...flags }, io)),
    )

  program
    .command('show')
    .argument('<files...>', 'certificates and bundles (PEM, DER, base64, .p7b), folders, or -')
    .description('print what is in certificates; nothing is judged')
    .addOption(timeOption('count from this time (default: now)'))
    .option('--json', 'one JSON object')
    .action(async (files: string[], flags: ShowFlags) => done(await show(files, flags, io)))

  addRevocationCommands(program, done, io)

  program
    .command('pki')
    .argument('[folder]', 'where to write it', 'demo-pki')
    .description('issue a small PKI with fresh keys, good clients and bad ones, to try things with')
    .option('--organization <name>', 'the O of its names', 'Example')
    .addOption(
      new Option('--key <kind>', 'of all keys')
        .choices(['P-256', 'P-384', 'P-521', 'Ed25519', 'RSA-2048', 'RSA-3072', 'RSA-4096'])
        .default('P-256'),
    )
    .option('--force', 'write into a folder that is not empty')
    .option('--json', 'one JSON object')
    .action(async (folder: string, flags: PkiFlags) => done(await pki(folder, flags, io)))

  program
    .command('proxy-snippet')
    .argument('<proxy>', Object.keys(snippetMakers).join(', '))
    .description(
      "print a proxy's configuration that forwards client certificates, and nobody's forgeries",
    )
    .option('--upstream <address:port>', 'the application behind it', '127.0.0.1:3000')
    .option('--listen <port>', 'where clients connect; an address may stand before it', '8443')
    .option('--server-name <name>', 'what clients call it', 'api.example')
    .option('--certificate <path>', "the proxy's own, PEM", '/etc/ssl/server.pem')
    .option('--key <path>', "the proxy's own, PEM", '/etc/ssl/server.key')
    .option('--client-ca <path>', 'the CAs that may issue clients, PEM', '/etc/ssl/client-ca.pem')
    .option('--header <name>', 'for the certificate, where the name is free')
    .option('--secret-header <name>', 'for what only the proxy can write (default: X-Proxy-Secret)')
    .option('--secret-file <file>', 'in which that secret is, 16 characters or more')
    .addOption(
      new Option('--form <form>', "of Envoy's header (default: json)").choices(['json', 'text']),
    )
    .option('--full', 'a whole configuration that runs as it is')
    .option('--json', 'one JSON object')
    .action(async (proxy: string, flags: ProxySnippetFlags) =>
      done(await proxySnippet(proxy, flags, io)),
    )

  addServerCommands(program, done, io)

  program
    .command('demo')
    .description('issue such a PKI into a temporary folder and check its clients')
    .action(async () => done(await demo(io)))
  return program
}

function withCheckOptions(command: Command): Command {
  const first = command
    .option('-a, --anchors <file>', 'trusted CA certificates, or a folder; may be repeated', list)
    .option('-i, --intermediates <file>', 'CA certificates known besides; may be repeated', list)
    .option('--acl <file>', 'which issuers may vouch for clients (issuer ACL, text or JSON)')
    .option('--client-acl <file>', 'which clients may come in (client ACL, text or JSON)')
    .addOption(timeOption('judge as at this time (default: now)'))
  return withRevocationOptions(first)
    .addOption(
      new Option(
        '--purpose <purpose>',
        'what the certificate is for (default: clientAuth)',
      ).choices(['clientAuth', 'serverAuth', 'any']),
    )
    .option(
      '--accepted-purpose <purpose>',
      'extended key usage that is as good; may be repeated',
      list,
    )
    .option('--expect-name <name>', 'DNS:…, IP:… or RFC822:… in the certificate', parsePeerName)
    .addOption(
      new Option('--profile <profile>', 'how strict (default: interoperable)').choices([
        'interoperable',
        'rfc5280',
      ]),
    )
    .option(
      '--max-intermediates <count>',
      'CAs between client and anchor',
      parseCount('--max-intermediates'),
    )
    .option(
      '--clock-tolerance <seconds>',
      'for dates, at both ends',
      parseCount('--clock-tolerance'),
    )
    .option('--policy <oid>', 'accepted certificate policy; may be repeated', list)
    .option('--require-explicit-policy', 'a certificate policy must hold along the path')
    .option('--inhibit-policy-mapping', 'policies must not be mapped')
    .option('--inhibit-any-policy', 'anyPolicy does not count')
    .addOption(
      new Option(
        '--pinned <what>',
        'a certificate that is itself an anchor (default: refuse)',
      ).choices(['refuse', 'accept', 'accept-self-signed']),
    )
    .option('--no-anchor-validity', "the anchors' own dates do not count")
    .option('--no-anchor-constraints', "the anchors' own constraints do not count")
    .option('--no-validate-certificate', 'prove nothing: read it, and ask the ACL by issuer name')
    .option('--dangerously-allow-sha1', 'accept signatures with SHA-1')
    .option('--dangerously-allow-md5', 'accept signatures with MD5')
    .option('--dangerously-allow-dsa', 'accept DSA keys')
    .option(
      '--dangerously-minimum-rsa-bits <bits>',
      'accept RSA keys that are shorter than 2048 bits',
      parseCount('--dangerously-minimum-rsa-bits'),
    )
    .option('--json', 'one JSON object')
}

/** `issuerAcl` → `--acl`, `clockTolerance` → `--clock-tolerance`. */
function flagOf(option: string): string {
  const named: Readonly<Record<string, string>> = {
    issuerAcl: '--acl',
    trustAnchors: '--anchors',
    acceptedPurposes: '--accepted-purpose',
    expectedPeerNames: '--expect-name',
    userInitialPolicySet: '--policy',
    'algorithms.dangerouslyMinimumRsaBits': '--dangerously-minimum-rsa-bits',
    cacheFolder: '--cache',
    // Of the serving commands.
    managerUrl: '--manager',
    publicKey: '--manager-key',
    ca: '--manager-ca',
    gateway: '--name',
    folder: '--data',
    trustedProxies: '--trusted-proxy',
  }
  return named[option] ?? `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

function helpOf(argv: readonly string[]): string {
  const command = commandOf(argv)
  return command === null ? '' : `${command} `
}

/** `check`, `crl fetch`; null when there is none of that name. */
function commandOf([first = '', second = '']: readonly string[]): string | null {
  if (!commands.includes(first)) return null
  const below = Object.hasOwn(subcommands, first) ? subcommands[first] : undefined
  if (below === undefined) return first
  return `${first} ${below.includes(second) ? second : below[0]}`
}

/** Options that may be repeated, when they are not there. As commander's own defaults they would clutter the help. */
const noLists = {
  anchors: [],
  intermediates: [],
  crl: [],
  ocsp: [],
  acceptedPurpose: [],
  expectName: [],
  policy: [],
}
const commands: readonly string[] = [
  'check',
  'explain',
  'show',
  'crl',
  'ocsp',
  'pki',
  'proxy-snippet',
  'serve',
  'manager',
  'gateway',
  'demo',
]
/** The first of each is meant where none is named. */
const subcommands: Readonly<Record<string, readonly string[]>> = {
  crl: ['show', 'fetch'],
  ocsp: ['show', 'request', 'fetch'],
}
const commanderCodes: Readonly<Record<string, string>> = {
  'commander.unknownOption': 'usage-unknown-option',
  'commander.unknownCommand': 'usage-unknown-command',
  'commander.missingArgument': 'usage-missing-argument',
  'commander.optionMissingArgument': 'usage-missing-argument',
  'commander.excessArguments': 'usage-invalid-value',
  'commander.invalidArgument': 'usage-invalid-value',
}
const exitCodes = `
Exit codes: 0 accepted (every one), 1 refused (any), 2 wrong usage or input that cannot be read.`
