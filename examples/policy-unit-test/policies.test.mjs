// policies.json, held against clients that are issued here: no server, no network, and any date.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parseTrustAnchors } from 'mtls-policy'
import { parseIssuerAcl } from 'mtls-policy/acl'
import { evaluatePipeline, parsePipelines } from 'mtls-policy/policy'
import { issueCa } from 'mtls-policy/testing'

const file = new URL('policies.json', import.meta.url)
// A document that makes no sense throws here, and the message has the path of every wrong field.
const policies = parsePipelines(JSON.parse(readFileSync(file, 'utf8')))

const root = await issueCa('CN=Example Root CA,O=Example')
const issuing = await root.issueCa('CN=Example Issuing CA,O=Example')
const devices = await root.issueCa('CN=Example Devices CA,O=Example')
const foreign = await issueCa('CN=Example Root CA,O=Foreign')

const trust = {
  trustAnchors: parseTrustAnchors(root.pem), // yours: readFileSync('ca.pem')
  issuerAcl: parseIssuerAcl('allow dn "CN=Example Issuing CA,O=Example"'),
}
const today = new Date('2030-01-01T00:00:00Z')
const lastSecond = new Date('2030-06-30T23:59:59Z')

const shop = await issuing.issue('CN=shop,O=Example', { notAfter: lastSecond })
const billing = await issuing.issue('CN=billing,OU=Billing,O=Example', {
  subjectAltName: [{ uri: 'spiffe://example.org/billing' }],
})
const expired = await issuing.issue('CN=shop,O=Example', { notAfter: new Date('2029-12-31') })
const scanner = await devices.issue('CN=scanner,O=Example')
const stranger = await foreign.issue('CN=billing,OU=Billing,O=Example')

/** @returns What the policies say to a request of this client, today unless `more` says otherwise. */
const ask = (client, more) =>
  evaluatePipeline(policies, { certificate: client?.chainPem, time: today, ...trust, ...more })
const codeOf = (outcome) => (outcome.allowed ? 'allowed' : outcome.code)
const stepOf = ({ trace }, name) => trace.find(({ policy }) => policy === name)

for (const [who, client, code] of [
  ['the shop', shop, 'allowed'],
  ['a client without a certificate', undefined, 'certificate-missing'],
  ['somebody of a foreign CA', stranger, 'issuer-unknown'],
  ['the shop with an expired certificate', expired, 'certificate-expired'],
  ['a scanner, of another CA than the ACL allows', scanner, 'issuer-not-allowed'],
]) {
  test(`${who}: ${code}`, async () => {
    assert.equal(codeOf(await ask(client)), code)
  })
}

test('the client is who the certificate says, and refusals are 401', async () => {
  assert.equal((await ask(shop)).identity.subject, 'CN=shop,O=Example')
  const { status, policy } = await ask(scanner)
  assert.deepEqual({ status, policy }, { status: 401, policy: 'clients' })
})

for (const [who, client, method, path, code] of [
  ['billing', billing, 'POST', '/orders/7/refund', 'allowed'],
  ['the shop', shop, 'POST', '/orders/7/refund', 'client-not-allowed'],
  ['the shop', shop, 'POST', '//orders/7/Refund/?fast', 'client-not-allowed'],
  ['the shop', shop, 'POST', '/orders/7/x/../refund', 'request-target-ambiguous'],
  ['the shop', shop, 'GET', '/orders/7', 'allowed'],
]) {
  test(`${who}, ${method} ${path}: ${code}`, async () => {
    assert.equal(codeOf(await ask(client, { method, path })), code)
  })
}

test('report mode: the shop comes in, and would not; billing would', async () => {
  const outcome = await ask(shop)
  assert.equal(codeOf(outcome), 'allowed')
  const { result, failure } = stepOf(outcome, 'spiffe-only')
  assert.equal(result, 'would-refuse')
  assert.equal(failure.code, 'client-not-allowed')
  assert.equal(stepOf(await ask(billing), 'spiffe-only').result, 'passed')
})

test('time travel: the shop comes in until the last second of June', async () => {
  assert.deepEqual((await ask(shop)).verdict.validUntil, lastSecond)
  assert.equal(codeOf(await ask(shop, { time: lastSecond })), 'allowed')
  const july = new Date('2030-07-01T00:00:00Z')
  assert.equal(codeOf(await ask(shop, { time: july })), 'certificate-expired')
  assert.equal(codeOf(await ask(billing, { time: july })), 'allowed')
})

test('the error pipeline tells our scanner from a stranger', async () => {
  const outcome = await ask(scanner, { pipeline: 'ERROR' })
  assert.equal(stepOf(outcome, 'ours-all-the-same').result, 'passed')
  const other = await ask(stranger, { pipeline: 'ERROR' })
  assert.equal(stepOf(other, 'ours-all-the-same').failure.code, 'issuer-unknown')
})
