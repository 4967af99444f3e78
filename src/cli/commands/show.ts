/** `show`: what is in these files? Nothing is judged. @module */

import { type CertificateDescription, describeCertificateSteps } from '../../client/describe.ts'
import { runSync } from '../../effect/effect.ts'
import { nodeHandlers } from '../../runtime/node.ts'
import type { Certificate } from '../../x509/certificate.ts'
import {
  type Bundle,
  liesBeside,
  listInputs,
  type Reason,
  readBundle,
  readInput,
} from '../files.ts'
import type { Io } from '../io.ts'
import { drawCertificate } from '../render/certificate.ts'
import { reasonJson, writeJson } from '../render/json.ts'
import { plain, refused, type Style, styleOf } from '../render/style.ts'
import { drawReason } from '../render/verdict.ts'
import { dateText } from '../render/words.ts'

export interface ShowFlags {
  readonly time?: Date
  readonly json?: true
}

/** @returns 0, or 2 when something could not be read. */
export async function show(files: readonly string[], flags: ShowFlags, io: Io): Promise<number> {
  const shown: Shown[] = []
  for (const input of await listInputs(files, io)) {
    const { file } = input
    const bytes = await readInput(file, io)
    const bundle = bytes instanceof Uint8Array ? readBundle(bytes) : bytes
    if ('code' in bundle && liesBeside(input, bundle)) continue
    shown.push({ file, bundle })
  }
  const ok = shown.length > 0 && shown.every(isComplete)
  if (flags.json) writeJson({ command: 'show', ok, results: shown.map(shownJson) }, io)
  else {
    const style = styleOf(io.stdout, io)
    const now = flags.time ?? io.now()
    const blocks = shown.flatMap((one) => drawShown(one, now, style))
    if (shown.length === 0) blocks.push(`no certificate in ${plain(files.join(', '))}`)
    io.stdout.write(`${blocks.join('\n\n')}\n`)
  }
  return ok ? 0 : 2
}

interface Shown {
  readonly file: string
  readonly bundle: Bundle | Reason
}

function isComplete({ bundle }: Shown): boolean {
  return !('code' in bundle) && bundle.unreadable.length === 0
}

function shownJson(shown: Shown): object {
  const { file, bundle } = shown
  if ('code' in bundle) return { file, ok: false, ...reasonJson(bundle), certificates: [] }
  const { certificates, unreadable, crls, format } = bundle
  return {
    file,
    ok: isComplete(shown),
    code: unreadable[0]?.reason.code ?? null,
    format,
    certificates: certificates.map(certificateJson),
    unreadable: unreadable.map(({ index, reason }) => ({ index, ...reasonJson(reason) })),
    crls,
  }
}

function describe(certificate: Certificate): CertificateDescription {
  return runSync(describeCertificateSteps(certificate), handlers)
}

function certificateJson(certificate: Certificate): object {
  const description = describe(certificate)
  const { notBefore, notAfter } = description
  return { ...description, notBefore: dateText(notBefore), notAfter: dateText(notAfter) }
}

function drawShown({ file, bundle }: Shown, now: Date, style: Style): string[] {
  const name = style.bold(plain(file))
  if ('code' in bundle) {
    const head = `${style.red(`${refused} unreadable`)}  ${name}  ${style.red(bundle.code)}`
    return [[head, ...drawReason(bundle, style)].join('\n')]
  }
  const { certificates, unreadable, crls } = bundle
  const blocks = certificates.map((certificate, at) => {
    const count =
      certificates.length === 1 ? '' : style.dim(`  ${at + 1} of ${certificates.length}`)
    const lines = drawCertificate(describe(certificate), now, style)
    return [`${name}${count}`, ...lines].join('\n')
  })
  for (const { index, reason } of unreadable) {
    const head = `${style.red(refused)} ${name}: certificate ${index + 1} cannot be read: ${reason.code}`
    blocks.push([head, ...drawReason(reason, style)].join('\n'))
  }
  if (crls > 0)
    blocks.push(style.dim(`${plain(file)} also holds ${crls} CRL${crls === 1 ? '' : 's'}`))
  return blocks
}

const handlers = /* @__PURE__ */ nodeHandlers()
