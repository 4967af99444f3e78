/**
 * One list in a process of its own, so that its memory is nobody else's: `list-child.ts ours|pkijs FOLDER`. Prints one line of JSON, as the
 * peers do.
 * @module
 */

import { webcrypto } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as asn1js from 'asn1js'
import * as pkijs from 'pkijs'
import { loadSubject } from './bundle.ts'
import type { ListFacts } from './list-folder.ts'
import { benchTime } from './material.ts'

/** No limit. */
const any = Number.MAX_SAFE_INTEGER
const [who, folder] = process.argv.slice(2) as [string, string]
const { entries, listed } = JSON.parse(
  await readFile(join(folder, 'facts.json'), 'utf8'),
) as ListFacts
const fromFolder = async (name: string) => new Uint8Array(await readFile(join(folder, name)))
const ca = await fromFolder('ca.der')
const client = await fromFolder('client.der')
const der = await fromFolder('crl.der')
const serials = listed.map((hex) => Uint8Array.from(Buffer.from(hex, 'hex')))
const figures = who === 'ours' ? await ours() : await theirs()
console.log(JSON.stringify({ peer: who, work: 'crl', entries, ...figures }))

/** To the first verdict by the list, which is when its signature is verified; its memory once all that is not needed is collected. */
async function ours() {
  const subject = await loadSubject()
  const trustAnchors = subject.parseTrustAnchors(ca)
  const before = settled()
  const start = performance.now()
  const crls = subject.parseCrls(der)
  const options = { trustAnchors, revocation: { mode: 'crl', crls } as const }
  const validator = subject.createClientCertificateValidatorSync(options)
  const verdict = validator.validate(client, { time: benchTime })
  const loadMs = performance.now() - start
  const after = settled()
  const revoked = crls.lists[0]?.tbsCertList.revokedCertificates
  if (!verdict.ok || revoked?.count !== entries) throw new Error('wrong answer')
  const look = performance.now()
  for (const serial of serials) {
    if (revoked.find(serial).length !== 1) throw new Error('wrong answer')
    // No longer the same, and on no list: serial numbers are written from 0x40 to 0x7f.
    serial[0] = 0x01
    if (revoked.find(serial).length !== 0) throw new Error('wrong answer')
  }
  const lookupUs = ((performance.now() - look) * 1000) / (2 * serials.length)
  const indexBytes = revoked.indexBytes
  const heldBytes = after.held - before.held
  return { loadMs, lookupUs, rssMiB: after.rssMiB - before.rssMiB, indexBytes, heldBytes }
}

async function theirs() {
  pkijs.setEngine('node', new pkijs.CryptoEngine({ name: 'node', crypto: webcrypto as Crypto }))
  const issuerCertificate = pkijs.Certificate.fromBER(ca.buffer)
  const asked = pkijs.Certificate.fromBER(client.buffer)
  const before = settled()
  const start = performance.now()
  // Its own fromBER refuses what has more than ten thousand elements, or 16 MiB.
  const { result: schema } = asn1js.fromBER(der, { maxNodes: any, maxContentLength: any })
  const list = new pkijs.CertificateRevocationList({ schema })
  const verified = await list.verify({ issuerCertificate })
  const loadMs = performance.now() - start
  const after = settled()
  if (!verified || list.revokedCertificates?.length !== entries) throw new Error('wrong answer')
  let lookupUs = 0
  for (const serial of serials.slice(-4)) {
    for (const [valueHex, isListed] of [
      [serial, true],
      [serial.map((octet, i) => (i === 0 ? 0x01 : octet)), false],
    ] as const) {
      asked.serialNumber = new asn1js.Integer({ valueHex: new Uint8Array(valueHex).buffer })
      const look = performance.now()
      if (list.isCertificateRevoked(asked) !== isListed) throw new Error('wrong answer')
      lookupUs += ((performance.now() - look) * 1000) / 8
    }
  }
  return { loadMs, lookupUs, rssMiB: after.rssMiB - before.rssMiB }
}

function settled(): { readonly held: number; readonly rssMiB: number } {
  for (let i = 0; i < 3; i++) globalThis.gc?.()
  const { heapUsed, external, rss } = process.memoryUsage()
  // ArrayBuffers are part of what is external.
  return { held: heapUsed + external, rssMiB: rss / 2 ** 20 }
}
