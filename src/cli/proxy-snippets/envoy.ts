/** Envoy; its JSON form of XFCC since 1.38. @module */

import { indent, lines, type Snippet, type SnippetMaker, type SnippetOptions } from './snippet.ts'

export const envoy: SnippetMaker = {
  title: 'Envoy',
  hasFreeHeader: false,
  hasFull: true,
  hasSecret: true,
  make,
}

function make(options: SnippetOptions): Snippet {
  const { secret, isFull } = options
  const text = isFull ? whole(options) : part(options)
  return {
    files: [{ name: 'envoy.yaml', text }],
    headers: ['x-forwarded-client-cert', ...(secret === undefined ? [] : [secret.header])],
    run: 'envoy -c envoy.yaml',
  }
}

/** The fields that matter, as they stand in an HttpConnectionManager; Istio's gateways are Envoys, too. */
export function xfccSettings(form: SnippetOptions['form']): string {
  return `# Removes every copy that a client sent, then writes one element: this connection's certificate, or no header at all.
# APPEND_FORWARD would let the client choose the first element, and a URI name in its certificate the last.
forward_client_cert_details: SANITIZE_SET
${
  form === 'json'
    ? `# Nothing that stands in a certificate can break out of a JSON string; the text form does not escape URI names.
set_current_client_cert_details: { cert: true, chain: true, format: JSON }`
    : `# The text form does not escape URI names, so that a certificate could add an element of its own: uri stays off.
set_current_client_cert_details: { cert: true, chain: true }`
}
common_http_protocol_options:
  # x_forwarded_client_cert, which others take for the same name.
  headers_with_underscores_action: DROP_HEADER`
}

/** The TLS side of a listener's filter chain. */
function transportSocket({ certificate, key, clientCa }: SnippetOptions): string {
  return `transport_socket:
  name: envoy.transport_sockets.tls
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
    # Goes on without a certificate, and with one that Envoy cannot verify: the application judges, and answers.
    require_client_certificate: false
    common_tls_context:
      alpn_protocols: [h2, http/1.1]
      tls_certificates:
      - certificate_chain: { filename: "${certificate}" }
        private_key: { filename: "${key}" }
      validation_context:
        trusted_ca: { filename: "${clientCa}" }
        trust_chain_verification: ACCEPT_UNTRUSTED`
}

/** The headers of a route configuration. */
function routeHeaders({ secret }: SnippetOptions): string | undefined {
  if (secret === undefined) return undefined
  return `# Removed from what a client sent, then added: Envoy works in this order.
request_headers_to_remove: ["${secret.header}"]
request_headers_to_add:
- header: { key: "${secret.header}", value: "${secret.value}" }
  append_action: OVERWRITE_IF_EXISTS_OR_ADD`
}

function part(options: SnippetOptions): string {
  const headers = routeHeaders(options)
  return `# Inside the typed_config of envoy.filters.network.http_connection_manager.
${xfccSettings(options.form)}
use_remote_address: true
${headers === undefined ? '' : `\n# Inside its route_config.\n${headers}\n`}
# Inside the listener's filter_chains, beside filters.
${transportSocket(options)}
`
}

function whole(options: SnippetOptions): string {
  const { listen, upstream, serverName } = options
  return `# Run: envoy -c envoy.yaml
static_resources:
  listeners:
  - name: mtls_policy
    address: { socket_address: { address: ${listen.host ?? '0.0.0.0'}, port_value: ${listen.port} } }
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: mtls_policy
${indent(xfccSettings(options.form), '          ')}
          use_remote_address: true
          route_config:
${indent(
  lines(
    `name: mtls_policy
virtual_hosts:
- name: application
  domains: ["${serverName}", "${serverName}:*"]
  routes:
  - match: { prefix: / }
    route: { cluster: application }`,
    routeHeaders(options),
  ),
  '            ',
)}
          http_filters:
          - name: envoy.filters.http.router
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
${indent(transportSocket(options), '      ')}
  clusters:
  - name: application
    type: STRICT_DNS
    connect_timeout: 5s
    load_assignment:
      cluster_name: application
      endpoints:
      - lb_endpoints:
        - endpoint:
            address: { socket_address: { address: ${upstream.host ?? '127.0.0.1'}, port_value: ${upstream.port} } }
`
}
