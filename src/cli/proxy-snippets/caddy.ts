/** Caddy 2.6 and later. @module */

import {
  address,
  indent,
  lines,
  type Snippet,
  type SnippetMaker,
  type SnippetOptions,
  twinsOf,
} from './snippet.ts'

export const caddy: SnippetMaker = {
  title: 'Caddy',
  hasFreeHeader: true,
  hasFull: true,
  hasSecret: true,
  make,
}

function make(options: SnippetOptions): Snippet {
  const { listen, upstream, serverName, certificate, key, secret, isFull } = options
  const header = options.header ?? 'X-Client-Cert'
  const headers = [header, ...(secret === undefined ? [] : [secret.header])]
  const part = `${serverName}:${listen.port} {
${lines(
  listen.host !== undefined && `\tbind ${listen.host}`,
  `\ttls ${certificate} ${key} {
		client_auth {
			# Asks for a certificate, goes on without one, and leaves the judgement to the application, which answers.
			# "verify_if_given" would end the TLS handshake instead, and give no verdict either.
			mode request
		}
	}`,
)}

	# Without a certificate the placeholder's own text would be sent: here it becomes the empty value.
	map {http.request.tls.client.certificate_der_base64} {mtls_policy_certificate} {
		~^([A-Za-z0-9+/=]+)$ "\${1}"
		default ""
	}

	reverse_proxy ${address(upstream)} {
		# Replaces every copy that a client sent. No "header_up -${header}" beside it: Caddy deletes after it sets, so that nothing
		# would arrive.
${indent(
  lines(
    `header_up ${header} {mtls_policy_certificate}`,
    secret && `header_up ${secret.header} "${secret.value}"`,
    '# Spellings that others take for the same name.',
    ...headers.flatMap(twinsOf).map((twin) => `header_up -${twin}`),
  ),
  '\t\t',
)}
	}
}
`
  const text = isFull
    ? `# Run: caddy run --config Caddyfile --adapter caddyfile
{
	admin off
	auto_https disable_redirects
	servers {
		protocols h1 h2
	}
}

${part}`
    : part
  return {
    files: [{ name: 'Caddyfile', text }],
    headers,
    run: 'caddy run --config Caddyfile --adapter caddyfile',
  }
}
