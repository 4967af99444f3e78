/** nginx 1.13.5 and later. @module */

import {
  address,
  indent,
  lines,
  type Snippet,
  type SnippetMaker,
  type SnippetOptions,
} from './snippet.ts'

export const nginx: SnippetMaker = {
  title: 'nginx',
  hasFreeHeader: true,
  hasFull: true,
  hasSecret: true,
  make,
}

function make(options: SnippetOptions): Snippet {
  const { header = 'X-SSL-Client-Cert', secret } = options
  const verdict = 'X-SSL-Client-Verify'
  const part = server(options, header, verdict)
  const text = options.isFull ? whole(part) : `# Inside http { … }.\n${part}`
  return {
    files: [{ name: 'nginx.conf', text }],
    headers: [header, verdict, ...(secret === undefined ? [] : [secret.header])],
    run: 'nginx -p "$PWD" -c nginx.conf',
  }
}

function server(options: SnippetOptions, header: string, verdict: string): string {
  const { listen, upstream, serverName, certificate, key, clientCa, secret } = options
  return `upstream mtls_policy_application {
  server ${address(upstream)};
  keepalive 32;
}

server {
  # From nginx 1.25.1 on: "listen … ssl;" and "http2 on;" on a line of its own.
  listen ${listen.host === undefined ? listen.port : address(listen)} ssl http2;
  server_name ${serverName};
  ssl_certificate ${certificate};
  ssl_certificate_key ${key};

  # "optional" asks for a certificate, tells the client which CAs may issue it, and goes on without one. "optional_no_ca"
  # would not know which CAs to name; its verdict would never be SUCCESS without the file either.
  ssl_verify_client optional;
  ssl_client_certificate ${clientCa};
  ssl_verify_depth 10;
  # A certificate that nginx finds wrong (expired, a foreign CA) would be its own bare 400 under both settings. Here the
  # application answers, with nginx's word FAILED:… in ${verdict}; the connection ends after that answer.
  error_page 495 = @mtls_policy_application;

  # ${twinOf(header)} and the like are not forwarded. nginx takes both lines from the default server of this port.
  underscores_in_headers off;
  ignore_invalid_headers on;

  # Each replaces whatever the client sent under that name; an empty value sends none. A location with a proxy_set_header of
  # its own inherits none of these: repeat them all there.
${indent(
  lines(
    `proxy_set_header ${header} $ssl_client_escaped_cert;`,
    `proxy_set_header ${verdict} $ssl_client_verify;`,
    secret && `proxy_set_header ${secret.header} "${secret.value}";`,
    'proxy_set_header Host $http_host;',
    'proxy_set_header Connection "";',
    'proxy_http_version 1.1;',
  ),
  '  ',
)}

  location / {
    proxy_pass http://mtls_policy_application;
  }
  location @mtls_policy_application {
    proxy_pass http://mtls_policy_application;
  }
}
`
}

function whole(part: string): string {
  return `# Run: nginx -p "$PWD" -c nginx.conf
daemon off;
pid nginx.pid;
error_log stderr;
events {}

http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;

${indent(part, '  ')}}
`
}

function twinOf(header: string): string {
  return header.replaceAll('-', '_')
}
