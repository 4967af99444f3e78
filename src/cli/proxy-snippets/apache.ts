/** Apache httpd 2.4.17 and later. @module */

import {
  address,
  lines,
  type Snippet,
  type SnippetMaker,
  type SnippetOptions,
  twinsOf,
} from './snippet.ts'

export const apache: SnippetMaker = {
  title: 'Apache httpd',
  hasFreeHeader: true,
  hasFull: true,
  hasSecret: true,
  make,
}

function make(options: SnippetOptions): Snippet {
  const { secret } = options
  const leaf = options.header ?? 'X-SSL-Client-Cert'
  const verdict = 'X-SSL-Client-Verify'
  const chain = [0, 1, 2, 3].map((at) => `X-SSL-Client-Chain-${at}`)
  const headers = [leaf, verdict, ...chain, ...(secret === undefined ? [] : [secret.header])]
  const part = host(options, leaf, verdict, chain)
  const text = options.isFull ? whole(options, part) : part
  return {
    files: [{ name: 'httpd.conf', text }],
    headers,
    run: 'apache2 -d "$PWD" -f httpd.conf -DFOREGROUND',
  }
}

function host(
  options: SnippetOptions,
  leaf: string,
  verdict: string,
  chain: readonly string[],
): string {
  const { listen, upstream, serverName, certificate, key, clientCa, secret } = options
  const headers = [leaf, verdict, ...chain, ...(secret === undefined ? [] : [secret.header])]
  return `# Modules: ssl, http2, headers, proxy, proxy_http.
SSLSessionCache none
<VirtualHost ${listen.host ?? '*'}:${listen.port}>
  ServerName ${serverName}
  Protocols h2 http/1.1
  SSLEngine on
  SSLCertificateFile "${certificate}"
  SSLCertificateKeyFile "${key}"

  # Asks for a certificate, goes on without one, and with one of a CA that httpd does not know (its verdict is GENEROUS then):
  # the application answers. An expired certificate still ends the TLS handshake: httpd has no setting that lets it in.
  SSLVerifyClient optional_no_ca
  SSLCACertificateFile "${clientCa}"
  SSLVerifyDepth 10
  # On a resumed session httpd knows no chain, and under TLS 1.2 it says SUCCESS of a certificate of any CA: no sessions are
  # resumed here.
  SSLSessionTickets off

  # A client's "Connection: ${verdict}" would make the proxy drop that header on its way: only the usual options pass.
  RequestHeader unset Connection "expr=! %{req_novary:Connection} =~ /^(close|keep-alive|upgrade)( *, *(close|keep-alive|upgrade))*$/i"
  # First everything that a client sent under these names, spelt with "_" or "-", then what httpd knows. "(null)" stands for nothing.
${lines(
  ...headers
    .flatMap((name) => [name, ...twinsOf(name)])
    .map((name) => `  RequestHeader unset ${name}`),
  `  RequestHeader set ${leaf} "%{SSL_CLIENT_CERT}s"`,
  `  RequestHeader set ${verdict} "%{SSL_CLIENT_VERIFY}s"`,
  '  # What the client sent after its own certificate; nothing on a resumed session.',
  ...chain.map((name, at) => `  RequestHeader set ${name} "%{SSL_CLIENT_CERT_CHAIN_${at}}s"`),
  secret && `  RequestHeader set ${secret.header} "${secret.value}"`,
)}

  ProxyPreserveHost on
  ProxyPass "/" "http://${address(upstream)}/"
</VirtualHost>
`
}

function whole({ listen, serverName }: SnippetOptions, part: string): string {
  const modules = ['mpm_event', 'authz_core', 'ssl', 'http2', 'headers', 'proxy', 'proxy_http']
  return `# Run: apache2 -d "$PWD" -f httpd.conf -DFOREGROUND (or httpd)
<IfDefine !MODULES>
  Define MODULES /usr/lib/apache2/modules
</IfDefine>
${modules.map((name) => `LoadModule ${name}_module \${MODULES}/mod_${name}.so`).join('\n')}
User daemon
Group daemon
PidFile httpd.pid
ErrorLog error.log
ServerName ${serverName}
Listen ${listen.host === undefined ? listen.port : address(listen)}

${part}`
}
