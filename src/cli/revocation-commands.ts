/** The commands `crl` and `ocsp`, and the options about revocation of `check` and `explain`. @module */

import { type Command, Option } from 'commander'
import { type CrlShowFlags, crlShow, parseSerialNumber } from './commands/crl.ts'
import { type CrlFetchFlags, crlFetch } from './commands/crl-fetch.ts'
import { type OcspShowFlags, ocspShow } from './commands/ocsp.ts'
import {
  type OcspFetchFlags,
  type OcspRequestFlags,
  ocspFetch,
  ocspRequest,
} from './commands/ocsp-ask.ts'
import { parseTimeout } from './fetching.ts'
import { type Io, UsageError } from './io.ts'
import { parseDuration, parseRule, ruleHelp } from './revocation-rule.ts'
import { parseCount } from './settings.ts'
import { parseTime } from './times.ts'

/** Collects what may be repeated. */
export const list = (text: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  text,
]

/** Of every command that judges or shows by a time. */
export function timeOption(what: string): Option {
  return new Option('-t, --time <time>', what).argParser((text) => parseTime(text, '--time'))
}

/** Options of `check` and `explain`. */
export function withRevocationOptions(command: Command): Command {
  const listed = command
    .option('--crl <file>', 'CRLs: a file, a folder, or with --fetch a URL; may be repeated', list)
    .option('--ocsp <file>', 'OCSP responses; may be repeated', list)
    .addOption(
      new Option('--revocation <rule>', 'what must be known of revocation; see below').argParser(
        parseRule,
      ),
    )
    .option('--fetch', 'get the lists and responses that the certificates name')
  return withFetchOptions(listed)
    .option('--cache <folder>', 'keeps what is fetched for the next run')
    .option('--kill-list <file>', 'who is refused whatever else is said (JSON array of entries)')
    .addHelpText('after', ruleHelp)
}

/** Adds `crl` and `ocsp`, with the commands below them. */
export function addRevocationCommands(
  program: Command,
  done: (code: number) => void,
  io: Io,
): void {
  const crl = program.command('crl').description('print or fetch revocation lists')
  crl
    .command('show', { isDefault: true })
    .argument('<files...>', 'lists (PEM, DER, base64), folders of them, or -')
    .description('print what is in revocation lists; nothing is judged')
    .option(
      '--serial <hex>',
      'whether this serial number is listed: exit code 1 if so',
      parseSerialNumber,
    )
    .option(
      '--entries <count>',
      'how many entries are printed (default: 5)',
      parseCount('--entries'),
    )
    .option('--issuer <file>', 'CA certificates, to check the signature; may be repeated', list)
    .addOption(timeOption('count from this time (default: now)'))
    .option('--json', 'one JSON object')
    .addHelpText('after', showCodes)
    .action(async (files: string[], flags: CrlShowFlags) =>
      done(await crlShow(files, { ...noIssuer, ...flags }, io)),
    )
  withFetchOptions(
    crl
      .command('fetch')
      .argument('<url-or-certificate>', 'where it is, or a certificate that says where')
      .description('get a list over http or https, under the guards of --fetch'),
  )
    .option('--out <file>', 'write it: DER; PEM if the name ends in .pem or there are several')
    .option('--issuer <file>', 'CA certificates, to check the signature; may be repeated', list)
    .option('--json', 'one JSON object')
    .addHelpText('after', fetchCodes)
    .action(async (what: string, flags: CrlFetchFlags) =>
      done(await crlFetch(what, { ...noIssuer, ...flags }, io)),
    )

  const ocsp = program.command('ocsp').description('print, ask for or fetch OCSP responses')
  ocsp
    .command('show', { isDefault: true })
    .argument('<file>', 'a response (DER, PEM, base64), or -')
    .description('print an OCSP response; with a certificate and its issuer, judge by it')
    .option('--certificate <file>', 'the certificate that it is to speak of')
    .option('--issuer <file>', 'the CA certificate that issued it; may be repeated', list)
    .option('--max-age <duration>', 'how long it counts at most, as 12h', parseMaxAge)
    .addOption(timeOption('judge as at this time (default: now)'))
    .option('--json', 'one JSON object')
    .addHelpText('after', judgeCodes)
    .action(async (file: string, flags: OcspShowFlags) =>
      done(await ocspShow(file, { ...noIssuer, ...flags }, io)),
    )
  withRequestOptions(ocsp.command('request'))
    .description('write the request about a certificate: DER into a file, or base64')
    .option('--json', 'one JSON object')
    .action(async (certificate: string, issuer: string, flags: OcspRequestFlags) =>
      done(await ocspRequest(certificate, issuer, flags, io)),
    )
  withFetchOptions(withRequestOptions(ocsp.command('fetch')))
    .description('ask the responder that a certificate names, and judge by its answer')
    .option('--url <url>', 'the responder (default: the one that the certificate names)')
    .option('--json', 'one JSON object')
    .addHelpText('after', judgeCodes)
    .action(async (certificate: string, issuer: string, flags: OcspFetchFlags) =>
      done(await ocspFetch(certificate, issuer, flags, io)),
    )
}

function withFetchOptions(command: Command): Command {
  return command
    .option('--allow-private-addresses', 'private and loopback addresses may be asked, in a lab')
    .option('--timeout <duration>', 'of each exchange, 1 to 60 s (default: 10)', parseTimeout)
}

function withRequestOptions(command: Command): Command {
  return command
    .argument('<certificate>', 'whose status is asked for')
    .argument('<issuer>', 'the CA certificate that issued it')
    .option('--out <file>', 'write the DER into a file')
    .option('--nonce', 'with 32 octets that nobody can foretell')
    .addOption(
      new Option('--hash <name>', 'by which the issuer is named (default: SHA-1)').choices([
        'SHA-1',
        'SHA-256',
      ]),
    )
}

function parseMaxAge(text: string): number {
  const seconds = parseDuration(text)
  if (seconds !== undefined) return seconds
  throw new UsageError(
    'usage-invalid-value',
    `--max-age ${text}: not a duration`,
    'write --max-age 3600, 90m, 12h or 7d',
  )
}

/** What may be repeated, when it is not there. */
const noIssuer = { issuer: [] }
const showCodes = `
Exit codes: 0 shown, 1 the serial number is listed or no given issuer signed a list, 2 wrong usage or
input that cannot be read. Not listed is no proof: check judges, with --crl.`
const fetchCodes = `
Exit codes: 0 fetched, 1 no given issuer signed a list, 2 wrong usage, or a place from which no list came.`
const judgeCodes = `
Exit codes: 0 good, or nothing was to be judged, 1 revoked or not known to be good, 2 wrong usage, input
that cannot be read, or no answer.`
