// Express behind its own TLS: an ACL of issuers, revocation lists, a kill list, a log, and new files without a restart.
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import express from 'express'
import { parseTrustAnchors } from 'mtls-policy'
import { parseIssuerAcl } from 'mtls-policy/acl'
import { mtls } from 'mtls-policy/express'
import { createKillList, parseCrls } from 'mtls-policy/revocation'

const read = (name) => readFileSync(`pki/${name}`)
const lists = () => readdirSync('pki/crls').map((name) => read(`crls/${name}`))
const killList = createKillList()
const options = () => ({
  policy: { type: 'policy-auth-mtls', name: 'clients' },
  trustAnchors: parseTrustAnchors(read('ca.pem')),
  issuerAcl: parseIssuerAcl(read('issuers.acl').toString()),
  revocation: { mode: 'crl', crls: parseCrls(lists()) },
  killList,
  hooks: { decision: ({ id, outcome, code }) => console.log(id, outcome, code ?? '') },
})
const guard = mtls(options())
process.on('SIGHUP', () => {
  try {
    guard.update(options())
  } catch (error) {
    console.error(`the old files stay in force: ${error.message}`)
  }
})
const app = express()
app.use(guard)
app.get('/', (request, response) => {
  response.send(`Hello ${request.clientCertificate.identity.subject}\n`)
})
app.post('/lost-my-key', (request, response) => {
  killList.add({ spkiSha256: request.clientCertificate.identity.spkiSha256 })
  response.send('Nobody comes in with it any more\n')
})
const [cert, key] = [read('server.pem'), read('keys/server.key')]
const server = createServer({ cert, key, requestCert: true, rejectUnauthorized: false }, app)
server.listen(8443, () => console.log(`process ${process.pid} listens on 8443`))
