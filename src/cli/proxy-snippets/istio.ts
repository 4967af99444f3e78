/** Istio's ingress gateway, whose proxy is Envoy. @module */

import { xfccSettings } from './envoy.ts'
import { indent, type Snippet, type SnippetMaker, type SnippetOptions } from './snippet.ts'

export const istio: SnippetMaker = {
  title: 'Istio',
  hasFreeHeader: false,
  hasFull: false,
  hasSecret: false,
  make,
}

function make({ serverName, form }: SnippetOptions): Snippet {
  const text = `apiVersion: networking.istio.io/v1
kind: Gateway
metadata:
  name: mtls-policy
  namespace: istio-system
spec:
  selector: { istio: ingressgateway }
  servers:
  - hosts: ["${serverName}"]
    port: { number: 443, name: https, protocol: HTTPS }
    tls:
      # Goes on without a certificate, so that the application answers; one of a foreign CA still ends the TLS handshake.
      mode: OPTIONAL_MUTUAL
      # A secret with tls.crt, tls.key and ca.crt, the CAs that may issue clients.
      credentialName: mtls-policy
---
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata:
  name: mtls-policy
  namespace: istio-system
spec:
  workloadSelector:
    labels: { istio: ingressgateway }
  configPatches:
  - applyTo: NETWORK_FILTER
    match:
      context: GATEWAY
      listener: { filterChain: { filter: { name: envoy.filters.network.http_connection_manager } } }
    patch:
      operation: MERGE
      value:
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
${indent(xfccSettings(form), '          ')}
`
  return { files: [{ name: 'mtls-policy.yaml', text }], headers: ['x-forwarded-client-cert'] }
}
