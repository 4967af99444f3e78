/** Google Cloud's Application Load Balancers. @module */

import type { Snippet, SnippetMaker, SnippetOptions } from './snippet.ts'

export const googleCloud: SnippetMaker = {
  title: 'Google Cloud Load Balancing',
  hasFreeHeader: false,
  hasFull: false,
  hasSecret: true,
  make,
}

function make({ secret }: SnippetOptions): Snippet {
  const headers = [...variables.map(([name]) => name), ...(secret ? [secret.header] : [])]
  const values = [
    ...variables.map(([name, value]) => `${name}:${value}`),
    ...(secret ? [`${secret.header}:${secret.value}`] : []),
  ]
  const text = `# The ServerTlsPolicy of the target proxy: goes on without a certificate, and with a bad one; the application judges, and answers.
#   mtlsPolicy:
#     clientValidationMode: ALLOW_INVALID_OR_MISSING_CLIENT_CERT
#     clientValidationTrustConfig: projects/PROJECT/locations/global/trustConfigs/TRUST_CONFIG

# A custom request header replaces every copy that a client sent. The firewall must let nobody but the load balancer reach the
# application, and every backend service in front of it needs all of these.
gcloud compute backend-services update APPLICATION --global \\
${values.map((value) => `  --custom-request-header='${value}'`).join(' \\\n')}
`
  return { files: [{ name: 'mtls-policy.sh', text }], headers }
}

/** Certificate and chain come in the forms of RFC 9440 §2; empty with an error where they are too large. */
const variables: readonly (readonly [header: string, variable: string])[] = [
  ['X-Client-Cert-Present', '{client_cert_present}'],
  ['X-Client-Cert-Chain-Verified', '{client_cert_chain_verified}'],
  ['X-Client-Cert-Error', '{client_cert_error}'],
  ['X-Client-Cert-Hash', '{client_cert_sha256_fingerprint}'],
  ['X-Client-Cert-Leaf', '{client_cert_leaf}'],
  ['X-Client-Cert-Chain', '{client_cert_chain}'],
]
