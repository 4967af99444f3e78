/** `pki`: a demo PKI in a folder, to try things out with. @module */

import { resolve } from 'node:path'
import type { KeyKind } from '../../testing/index.ts'
import { demoClients, demoFiles, writeDemoPki } from '../demo-pki.ts'
import { type Io, invocation } from '../io.ts'
import { writeJson } from '../render/json.ts'
import { plain, styleOf } from '../render/style.ts'

export interface PkiFlags {
  readonly organization: string
  readonly key: string
  readonly force?: true
  readonly json?: true
}

export async function pki(folder: string, flags: PkiFlags, io: Io): Promise<number> {
  const { organization, key, force = false } = flags
  const options = { organization, key: key as KeyKind }
  const files = await writeDemoPki(resolve(io.cwd, folder), io.now(), options, force)
  if (flags.json) {
    writeJson({ command: 'pki', ok: true, folder, files }, io)
    return 0
  }
  const style = styleOf(io.stdout, io)
  const run = invocation(io)
  const at = (file: string) => plain(shellWord(`${folder}/${file}`))
  const lines = [
    `${style.green('✓')} issued a demo PKI in ${style.bold(plain(folder))}: ${files.length} files, keys as private as this folder`,
    '',
    ...demoClients.map(({ file, what }) => `  ${file.padEnd(22)}  ${style.dim(what)}`),
    `  ${demoFiles.anchors.padEnd(22)}  ${style.dim('the root: your trust anchor')}`,
    `  ${demoFiles.intermediates.padEnd(22)}  ${style.dim('the issuing CAs below it')}`,
    `  ${demoFiles.issuerAcl.padEnd(22)}  ${style.dim('which of them may issue clients')}`,
    `  ${demoFiles.clientAcl.padEnd(22)}  ${style.dim('which clients may come in')}`,
    `  ${`${demoFiles.crls}/`.padEnd(22)}  ${style.dim('what the CAs have revoked')}`,
    `  ${'server.pem, keys/'.padEnd(22)}  ${style.dim('a certificate for localhost, and all private keys')}`,
    '',
    `  ${run} check ${at('clients')} --anchors ${at(demoFiles.anchors)} --acl ${at(demoFiles.issuerAcl)} --crl ${at(demoFiles.crls)}`,
  ]
  io.stdout.write(`${lines.join('\n')}\n`)
  return 0
}

/** As a shell reads it back. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
