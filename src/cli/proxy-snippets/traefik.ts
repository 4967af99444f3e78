/** Traefik 2.9.2 and later, as a file of its dynamic configuration. @module */

import {
  address,
  type Snippet,
  type SnippetMaker,
  type SnippetOptions,
  twinsOf,
} from './snippet.ts'

export const traefik: SnippetMaker = {
  title: 'Traefik',
  hasFreeHeader: false,
  hasFull: false,
  hasSecret: true,
  make,
}

function make({ upstream, serverName, certificate, key, secret }: SnippetOptions): Snippet {
  const header = 'X-Forwarded-Tls-Client-Cert'
  const set = secret === undefined ? '' : `\n          ${secret.header}: "${secret.value}"`
  const names = [
    header,
    ...twinsOf(header),
    ...(secret === undefined ? [] : twinsOf(secret.header)),
  ]
  const text = `http:
  middlewares:
    # Traefik replaces the header only when a certificate came: without one, a client's own copy would pass. An empty value
    # removes a header, here also in the spellings that others take for the same name.
    mtls-policy-strip:
      headers:
        customRequestHeaders:
${names.map((name) => `          ${name}: ""`).join('\n')}${set}
    mtls-policy-pass:
      passTLSClientCert:
        pem: true
  routers:
    application:
      rule: Host(\`${serverName}\`)
      service: application
      # In this order.
      middlewares: [mtls-policy-strip, mtls-policy-pass]
      tls:
        options: mtls-policy
  services:
    application:
      loadBalancer:
        servers:
        - url: http://${address(upstream)}
tls:
  certificates:
  - certFile: ${certificate}
    keyFile: ${key}
  options:
    mtls-policy:
      # Asks for a certificate, goes on without one, and leaves the judgement to the application, which answers.
      clientAuth:
        clientAuthType: RequestClientCert
`
  return {
    files: [{ name: 'mtls-policy.yaml', text }],
    headers: [header, ...(secret === undefined ? [] : [secret.header])],
  }
}
