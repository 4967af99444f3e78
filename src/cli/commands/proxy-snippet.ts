/** `proxy-snippet`: the configuration with which a proxy forwards client certificates so that nobody else can. @module */

import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type Io, UsageError } from '../io.ts'
import { snippetMakers } from '../proxy-snippets/index.ts'
import type { Endpoint, SnippetMaker, SnippetOptions } from '../proxy-snippets/snippet.ts'
import { writeJson } from '../render/json.ts'

export interface ProxySnippetFlags {
  readonly listen: string
  readonly upstream: string
  readonly serverName: string
  readonly certificate: string
  readonly key: string
  readonly clientCa: string
  readonly header?: string
  readonly secretHeader?: string
  readonly secretFile?: string
  readonly form?: string
  readonly full?: true
  readonly json?: true
}

export async function proxySnippet(
  name: string,
  flags: ProxySnippetFlags,
  io: Io,
): Promise<number> {
  const maker = makerOf(name)
  const { full = false, header, form = 'json' } = flags
  if (header !== undefined && !maker.hasFreeHeader) {
    throw conflict('--header', `${maker.title} writes headers of fixed names`)
  }
  if (flags.form !== undefined && !['envoy', 'istio'].includes(name)) {
    throw conflict('--form', 'only Envoy and Istio have a choice of forms')
  }
  if (full && !maker.hasFull) {
    throw conflict('--full', `${maker.title} is set up elsewhere; this is the part to add there`)
  }
  const secret = await secretOf(flags, io)
  if (secret !== undefined && !maker.hasSecret) {
    throw conflict('--secret-file', `${maker.title} is not told to send a secret here`)
  }
  const options: SnippetOptions = {
    listen: endpoint('--listen', flags.listen),
    upstream: endpoint('--upstream', flags.upstream),
    serverName: matching('--server-name', flags.serverName, hostName, 'a host name'),
    certificate: matching('--certificate', flags.certificate, plainPath, aPath),
    key: matching('--key', flags.key, plainPath, aPath),
    clientCa: matching('--client-ca', flags.clientCa, plainPath, aPath),
    header: header === undefined ? undefined : headerName('--header', header),
    secret,
    form: form === 'text' ? 'text' : 'json',
    isFull: full,
  }
  const { files, headers, run } = maker.make(options)
  const clash = headers.find(
    (one, at) => headers.findIndex((other) => folded(other) === folded(one)) !== at,
  )
  if (clash !== undefined) throw conflict('--header', `two headers would be called ${clash}`)
  if (flags.json) {
    const running = full && run !== undefined ? { run } : {}
    writeJson({ command: 'proxy-snippet', ok: true, proxy: name, files, headers, ...running }, io)
    return 0
  }
  const heading = (file: string) => (files.length > 1 ? `# ${file}\n` : '')
  io.stdout.write(files.map((file) => `${heading(file.name)}${file.text}`).join('\n'))
  return 0
}

function makerOf(name: string): SnippetMaker {
  const maker = Object.hasOwn(snippetMakers, name) ? snippetMakers[name] : undefined
  if (maker !== undefined) return maker
  throw new UsageError(
    'usage-invalid-value',
    `no snippet for ${name}`,
    `there is one for each of: ${Object.keys(snippetMakers).join(', ')}`,
  )
}

/** The value comes from a file, so that it is in no shell's history; it is printed, so that what is printed is as secret. */
async function secretOf(
  { secretHeader, secretFile }: ProxySnippetFlags,
  io: Io,
): Promise<SnippetOptions['secret']> {
  if (secretFile === undefined) {
    if (secretHeader === undefined) return undefined
    throw new UsageError(
      'usage-missing-option',
      '--secret-header without --secret-file',
      'name the file in which the secret is: openssl rand -hex 32 > secret',
    )
  }
  const value = (await readFile(resolve(io.cwd, secretFile), 'utf8')).trim()
  // 16 characters as the application asks for; none that any proxy's configuration takes for its own.
  matching(
    '--secret-file',
    value,
    /^[\w+/=.~-]{16,512}$/,
    'at least 16 letters, digits or + / = . _ ~ -',
    false,
  )
  return { header: headerName('--secret-header', secretHeader ?? 'X-Proxy-Secret'), value }
}

function endpoint(option: string, text: string): Endpoint {
  const [, host, digits = ''] =
    /^(?:(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):)?(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  if (digits === '' || port < 1 || port > 65_535) {
    throw invalid(option, text, 'a port, or an address and a port')
  }
  return { host: host ?? (option === '--upstream' ? '127.0.0.1' : undefined), port }
}

/** Six parts at most: each dash doubles the spellings that are deleted. */
function headerName(option: string, text: string): string {
  return matching(
    option,
    text,
    /^[A-Za-z0-9]+(?:-[A-Za-z0-9]+){0,5}$/,
    'letters, digits and up to five dashes',
  )
}

function matching(
  option: string,
  text: string,
  pattern: RegExp,
  expected: string,
  isShown = true,
): string {
  if (!pattern.test(text)) throw invalid(option, isShown ? text : undefined, expected)
  return text
}

function invalid(option: string, text: string | undefined, expected: string): UsageError {
  const what = text === undefined ? 'its content' : `“${text}”`
  return new UsageError('usage-invalid-value', `${option}: ${what} will not do`, `give ${expected}`)
}

function conflict(option: string, why: string): UsageError {
  return new UsageError('options-conflict', `${option}: ${why}`, `leave ${option} out`)
}

function folded(header: string): string {
  return header.toLowerCase()
}

const hostName =
  /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*$/
/** No character that means something in the configuration of any of the proxies. */
const plainPath = /^[\w@%+=:,./-]+$/
const aPath = 'a path without spaces and quotes'
