/** `demo`: the first minute. Issues a PKI and checks one client of each kind. @module */

import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { demoClients, demoFiles, writeDemoPki } from '../demo-pki.ts'
import { type Io, invocation } from '../io.ts'
import { judge } from '../judge.ts'
import { drawTree, styleOf } from '../render/style.ts'
import { drawJudged } from '../render/verdict.ts'
import { readSettings } from '../settings.ts'
import { shellWord } from './pki.ts'

/** @returns 0 when every client was judged as it should be, which is all that a demonstration can promise. */
export async function demo(io: Io): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'mtls-policy-'))
  await writeDemoPki(folder, io.now(), { organization: 'Example', key: 'P-256' }, false)
  const style = styleOf(io.stdout, io)
  const { bold, dim, cyan } = style
  const file = (name: string) => shellWord(join(folder, name))
  const run = invocation(io)

  const lines = [
    `${bold('mtls-policy')} decides whether a client certificate may come in, and says why.`,
    '',
    `A small PKI, issued just now in ${bold(folder)}`,
    '',
    ...drawTree(
      [
        {
          lines: [`Example Root CA ${dim('— ca.pem, the trust anchor')}`],
          below: [
            {
              lines: [`Example Issuing CA ${dim('— the one that issuers.acl allows')}`],
              below: [
                { lines: ['client-a'] },
                { lines: [`client-expired ${dim('— since yesterday')}`] },
                { lines: [`client-forged ${dim('— signed by somebody else')}`] },
                { lines: [`client-revoked ${dim('— its key was stolen')}`] },
              ],
            },
            { lines: [`Example Partner CA ← client-partner ${dim('— trusted, but not allowed')}`] },
          ],
        },
        {
          lines: [`Foreign Root CA ← Foreign Issuing CA ← client-foreign ${dim('— unknown here')}`],
        },
      ],
      style,
    ).map((line) => `  ${line}`),
    '',
    dim('$ mtls-policy check clients/… --anchors ca.pem --acl issuers.acl --crl crls'),
  ]
  const settings = await readSettings(
    {
      anchors: [join(folder, demoFiles.anchors)],
      acl: join(folder, demoFiles.issuerAcl),
      intermediates: [],
      crl: [join(folder, demoFiles.crls)],
      ocsp: [],
      acceptedPurpose: [],
      expectName: [],
      policy: [],
      anchorValidity: true,
      anchorConstraints: true,
      validateCertificate: true,
    },
    io,
  )
  let asExpected = true
  for (const client of demoClients) {
    const judged = await judge(join(folder, client.file), settings, io)
    lines.push('', ...drawJudged({ ...judged, file: client.file }, settings.options.time, style))
    asExpected &&= judged.reason?.code === client.code
  }
  const common = `--anchors ${file(demoFiles.anchors)} --acl ${file(demoFiles.issuerAcl)} --crl ${file(demoFiles.crls)}`
  lines.push(
    '',
    bold('Your own files:'),
    `  ${cyan(`${run} check client.pem --anchors ca.pem`)}   [--crl F] [--acl F] [--json]`,
    `  ${cyan(`${run} show client.pem`)}`,
    '',
    bold('More of these:'),
    `  ${cyan(`${run} explain ${file('clients/partner.pem')} ${common}`)}`,
    `  ${cyan(`${run} --help`)}`,
  )
  io.stdout.write(`${lines.join('\n')}\n`)
  return asExpected ? 0 : 1
}
