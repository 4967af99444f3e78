/** HAProxy 2.4 and later. @module */

import {
  address,
  lines,
  type Snippet,
  type SnippetMaker,
  type SnippetOptions,
  twinPattern,
} from './snippet.ts'

export const haproxy: SnippetMaker = {
  title: 'HAProxy',
  hasFreeHeader: true,
  hasFull: true,
  hasSecret: true,
  make,
}

function make(options: SnippetOptions): Snippet {
  const { listen, upstream, certificate, key, clientCa, secret, isFull } = options
  const leaf = options.header ?? 'X-SSL-Client-Cert'
  const [chain, verdict, used] = ['X-SSL-Client-Chain', 'X-SSL-Client-Verify', 'X-SSL-Client-Used']
  const headers = [leaf, chain, verdict, used, ...(secret === undefined ? [] : [secret.header])]
  const text = `${isFull ? '# Run: haproxy -f haproxy.cfg\n' : ''}global
  # A certificate that does not fit into the buffer arrives empty; half of it is kept for what is added below.
  tune.bufsize 65536
  tune.maxrewrite 32768
${
  isFull
    ? `
defaults
  mode http
  timeout client 60s
  timeout server 60s
  timeout connect 5s
`
    : ''
}
frontend mtls_policy
  mode http
  # The file of crt holds the certificate and the key: cat CERTIFICATE ${key} > ${certificate}
  # Asks for a certificate and goes on without one, or with a bad one: the application answers, and ${verdict}
  # says what HAProxy thinks of it.
  bind ${listen.host === undefined ? `*:${listen.port}` : address(listen)} ssl crt ${certificate} ca-file ${clientCa} verify optional crt-ignore-err all ca-ignore-err all alpn h2,http/1.1

  # First everything that a client sent under these names, spelt with "_" or "-".
${headers.map((name) => `  http-request del-header ^${twinPattern(name.toLowerCase())}$ -m reg`).join('\n')}
${lines(
  `  http-request set-header ${leaf} %[ssl_c_der,base64]`,
  '  # The certificates that the client sent after its own, one after the other; none on a resumed session.',
  `  http-request set-header ${chain} %[ssl_c_chain_der,base64]`,
  '  # 0 is good, and also what is said when no certificate came: the next header tells the two apart.',
  `  http-request set-header ${verdict} %[ssl_c_verify]`,
  `  http-request set-header ${used} %[ssl_c_used]`,
  secret && `  http-request set-header ${secret.header} "${secret.value}"`,
)}
  # A client's "Connection: ${leaf}" would have the next proxy drop that header.
  http-request del-header connection if { req.hdr(connection) -i ${headers.join(' ')} }
  default_backend mtls_policy_application

backend mtls_policy_application
  mode http
  http-reuse safe
  server application ${address(upstream)}
`
  return { files: [{ name: 'haproxy.cfg', text }], headers, run: 'haproxy -f haproxy.cfg' }
}
