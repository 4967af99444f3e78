/** Cloudflare's request header transform rules, as Terraform, RFC 9440. @module */

import type { Snippet, SnippetMaker, SnippetOptions } from './snippet.ts'
import { twinsOf } from './snippet.ts'

export const cloudflare: SnippetMaker = {
  title: 'Cloudflare',
  hasFreeHeader: false,
  hasFull: false,
  hasSecret: true,
  make,
}

function make({ serverName, secret }: SnippetOptions): Snippet {
  const headers = ['Client-Cert', 'Client-Cert-Chain']
  const all = [...headers, ...(secret === undefined ? [] : [secret.header])]
  const removed = [...headers, ...all.flatMap(twinsOf)]
  const set =
    secret === undefined
      ? ''
      : `\n        "${secret.header}" = { operation = "set", value = "${secret.value}" }`
  const text = `resource "cloudflare_ruleset" "mtls_policy" {
  zone_id = var.zone_id
  name    = "client certificates"
  kind    = "zone"
  phase   = "http_request_late_transform"

  # In this order: first every copy that a client sent is removed, from every request.
  rules = [
    {
      description = "strip client certificates"
      expression  = "true"
      action      = "rewrite"
      action_parameters = { headers = {
${removed.map((name) => `        "${name}" = { operation = "remove" }`).join('\n')}${set}
      } }
    },
    # The fields are filled for certificates that failed, too. What is too large arrives as no certificate at all.
    {
      description = "forward client certificates"
      expression  = "http.host eq \\"${serverName}\\" and cf.tls_client_auth.cert_verified and not cf.tls_client_auth.cert_revoked and not cf.tls_client_auth.cert_rfc9440_too_large and not cf.tls_client_auth.cert_chain_rfc9440_too_large"
      action      = "rewrite"
      action_parameters = { headers = {
        "Client-Cert"       = { operation = "set", expression = "cf.tls_client_auth.cert_rfc9440" }
        "Client-Cert-Chain" = { operation = "set", expression = "cf.tls_client_auth.cert_chain_rfc9440" }
      } }
    },
  ]
}
`
  return { files: [{ name: 'mtls-policy.tf', text }], headers: all }
}
