/** Kong Gateway 3.0 and later (two of its plugins are of the Enterprise edition). @module */

import {
  address,
  type Snippet,
  type SnippetMaker,
  type SnippetOptions,
  twinsOf,
} from './snippet.ts'

export const kong: SnippetMaker = {
  title: 'Kong',
  hasFreeHeader: true,
  hasFull: false,
  hasSecret: false,
  make,
}

function make({ upstream, serverName, header = 'X-Client-Cert' }: SnippetOptions): Snippet {
  // All that the plugin writes; the names after the first are its defaults.
  const headers = [header, ...others]
  const text = `_format_version: "3.0"
services:
- name: application
  url: http://${address(upstream)}
  routes:
  - name: application
    protocols: [https]
    hosts: [${serverName}]
    # Restores the host that the client asked for.
    preserve_host: true
  plugins:
  # The plugin below writes its headers only when a certificate came: without one, a client's own copies would pass. This one
  # runs before it; request-transformer would run after it, and remove what it wrote.
  - name: pre-function
    config:
      access:
      - |
${[...headers, ...twinsOf(header)]
  .map((name) => `        kong.service.request.clear_header("${name}")`)
  .join('\n')}
  # Asks for a certificate, goes on without one, and leaves the judgement to the application, which answers.
  - name: tls-handshake-modifier
  - name: tls-metadata-headers
    config:
      inject_client_cert_details: true
      client_cert_header_name: ${header}
`
  return { files: [{ name: 'kong.yaml', text }], headers }
}

const others = [
  'X-Client-Cert-Serial',
  'X-Client-Cert-Issuer-DN',
  'X-Client-Cert-Subject-DN',
  'X-Client-Cert-Fingerprint',
]
