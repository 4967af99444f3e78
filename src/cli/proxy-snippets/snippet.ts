/** What a proxy's configuration is made of, and the words that all of them share. @module */

export interface SnippetOptions {
  readonly listen: Endpoint
  readonly upstream: Endpoint
  readonly serverName: string
  /** Files of the proxy's own TLS certificate and key, PEM. */
  readonly certificate: string
  readonly key: string
  /** File of the CA certificates that may issue clients, PEM. */
  readonly clientCa: string
  /** The header of the certificate, where its name is free; absent: the default that the preset reads. */
  readonly header: string | undefined
  /** What only the proxy can write, so that the application knows it. */
  readonly secret: { readonly header: string; readonly value: string } | undefined
  /** Of Envoy's header, and Istio's. */
  readonly form: 'json' | 'text'
  /** A whole configuration that runs as it is, instead of the part to add to an existing one. */
  readonly isFull: boolean
}

export interface Endpoint {
  /** Absent: every address. */
  readonly host: string | undefined
  readonly port: number
}

export interface SnippetFile {
  readonly name: string
  readonly text: string
}

export interface Snippet {
  readonly files: readonly SnippetFile[]
  /** The headers that reach the application, all of them taken from what a client sent. */
  readonly headers: readonly string[]
  /** How to run what `isFull` made. Absent: nothing to run. */
  readonly run?: string
}

export interface SnippetMaker {
  readonly title: string
  /** Whether the name of the certificate's header can be chosen. */
  readonly hasFreeHeader: boolean
  /** Whether there is a whole configuration. */
  readonly hasFull: boolean
  /** Whether it can send a shared secret. */
  readonly hasSecret: boolean
  readonly make: (options: SnippetOptions) => Snippet
}

/** `host:port`, as most proxies write it. */
export function address({ host, port }: Endpoint): string {
  return host === undefined ? `:${port}` : `${host}:${port}`
}

/** Matches `name` and every spelling with an underscore for a dash; dialects of regular expressions agree on it. */
export function twinPattern(name: string): string {
  return name.replaceAll('-', '[-_]')
}

/** Every spelling of `name` with an underscore for at least one dash, for proxies that delete by name alone. */
export function twinsOf(name: string): readonly string[] {
  const [first = '', ...rest] = name.split('-')
  const spelled = rest.reduce(
    (made, part) => made.flatMap((text) => [`${text}-${part}`, `${text}_${part}`]),
    [first],
  )
  return spelled.filter((text) => text !== name)
}

/** Lines with `by` spaces (or another indent) before each that is not empty. */
export function indent(text: string, by: string): string {
  return text.replace(/^(?=.)/gm, by)
}

/** One line for each, none for nobody: for optional parts of a template. */
export function lines(...parts: readonly (string | false | undefined)[]): string {
  return parts.filter((part) => typeof part === 'string').join('\n')
}
