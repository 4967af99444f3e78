// Fastify behind nginx: nginx ends TLS and hands the certificate on in a header, which it alone may write.
import { readFileSync } from 'node:fs'
import Fastify from 'fastify'
import { parseTrustAnchors } from 'mtls-policy'
import { parseIssuerAcl } from 'mtls-policy/acl'
import { mtls } from 'mtls-policy/fastify'
import { nginx } from 'mtls-policy/sources'

const read = (name) => readFileSync(`pki/${name}`)
const type = 'policy-auth-mtls'
const guard = mtls({
  policies: [
    { type, name: 'clients', validateACLForIssuer: false },
    {
      type,
      name: 'own-clients',
      targetScope: 'ENDPOINT',
      targetEndpoint: '/reports/**',
      targetEndpointHTTPMethod: 'GET',
    },
  ],
  trustAnchors: parseTrustAnchors(read('ca.pem')),
  // nginx hands on the client's own certificate alone.
  intermediates: read('intermediates.pem'),
  issuerAcl: parseIssuerAcl(read('issuers.acl').toString()),
  source: nginx({ trust: { addresses: ['127.0.0.1'] } }),
  hooks: { decision: ({ id, outcome, code }) => console.log(id, outcome, code ?? '') },
})

// A certificate in a header may be longer than all the headers that Node takes by default.
const server = Fastify({ http: { maxHeaderSize: 65_536 } })
server.register(guard)
server.get('/', (request) => `Hello ${request.clientCertificate.identity.subject}\n`)
server.get('/reports/:day', () => 'For clients of our own CA alone\n')
await server.listen({ host: '127.0.0.1', port: 3000 })
console.log('listening on 3000')
