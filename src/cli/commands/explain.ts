/** `explain`: the whole trace of each verdict. @module */

import {
  type AclPath,
  decideUnverifiedIssuer,
  explainClientAcl,
  explainIssuerAcl,
} from '../../acl/index.ts'
import { describeFailure } from '../../client/failure.ts'
import type { ValidateOptions } from '../../client/options.ts'
import type { Verdict } from '../../client/verdict.ts'
import { runSync } from '../../effect/effect.ts'
import type { Profile } from '../../path/profile.ts'
import type { TrustAnchor } from '../../path/trust-anchor.ts'
import { nodeHandlers } from '../../runtime/node.ts'
import type { Certificate } from '../../x509/certificate.ts'
import { type Input, liesBeside, listInputs, type Reason } from '../files.ts'
import { type Io, UsageError } from '../io.ts'
import { exitCodeOf, type Judged, judge, judgeAgain, type Source } from '../judge.ts'
import { explainedJson } from '../render/explain-json.ts'
import { drawFetchedOf, fetchedJson } from '../render/fetched.ts'
import { reasonJson, writeJson } from '../render/json.ts'
import { meaningOf } from '../render/meaning.ts'
import { plain, styleOf } from '../render/style.ts'
import { type AclView, drawExplained, type Explained, type ProfileView } from '../render/trace.ts'
import { drawReason } from '../render/verdict.ts'
import { dateText } from '../render/words.ts'
import { type CheckFlags, readSettings, type Settings } from '../settings.ts'

export async function explain(
  files: readonly string[],
  flags: CheckFlags,
  io: Io,
): Promise<number> {
  const [word = '', ...others] = files
  const meaning = others.length === 0 ? meaningOf(word) : undefined
  if (meaning !== undefined && flags.anchors.length === 0) return explainCode(meaning, flags, io)
  if (flags.anchors.length === 0 && others.length === 0 && codeLike.test(word)) {
    throw new UsageError(
      'usage-invalid-value',
      `${word} is no code, and to judge a file of that name there is no trust anchor`,
      'write the code as check prints it, or add --anchors ca.pem',
    )
  }
  const inputs = await listInputs(files, io)
  const settings = await readSettings(flags, io)
  try {
    return await explainWith(settings, inputs, files, flags, io)
  } finally {
    await settings.close()
  }
}

/** A code in the place of a file: what it means. */
function explainCode(meaning: Reason, { json }: CheckFlags, io: Io): number {
  if (json) writeJson({ command: 'explain', ok: true, ...reasonJson(meaning) }, io)
  else {
    const style = styleOf(io.stdout, io)
    const lines = [style.bold(meaning.code), ...drawReason(meaning, style)]
    io.stdout.write(`${lines.join('\n')}\n`)
  }
  return 0
}

async function explainWith(
  settings: Settings,
  inputs: readonly Input[],
  files: readonly string[],
  flags: CheckFlags,
  io: Io,
): Promise<number> {
  const explained: Explained[] = []
  for (const input of inputs) {
    const judged = await judge(input.file, settings, io)
    if (liesBeside(input, judged.reason)) continue
    explained.push(explainOne(judged, settings))
  }
  const judged = explained.map((one) => one.judged)
  const code = judged.length === 0 ? 2 : exitCodeOf(judged)
  if (flags.json) {
    writeJson(
      {
        command: 'explain',
        ok: code === 0,
        time: dateText(settings.options.time),
        results: explained.map(explainedJson),
        ...(settings.fetches ? { fetched: settings.fetched().map(fetchedJson) } : {}),
      },
      io,
    )
  } else {
    const style = styleOf(io.stdout, io)
    if (judged.length === 0) io.stdout.write(`no certificate in ${plain(files.join(', '))}\n`)
    const blocks = explained.map((one) =>
      drawExplained(one, settings.options.time, style).join('\n'),
    )
    const rows = drawFetchedOf(settings, style)
    if (rows.length > 0) blocks.push(rows.join('\n'))
    if (blocks.length > 0) io.stdout.write(`${blocks.join('\n\n')}\n`)
  }
  return code
}

function explainOne(judged: Judged, settings: Settings): Explained {
  const { verdict, source } = judged
  if (verdict === undefined || source === undefined) {
    return { judged, issuerAcl: undefined, clientAcl: undefined, profiles: [] }
  }
  return {
    judged,
    issuerAcl: settings.issuerAcl && issuerView(verdict, settings),
    clientAcl: settings.clientAcl && clientView(verdict, settings),
    profiles: profileViews(source, settings.options),
  }
}

/** What the ACL said; the verdict's own word where it refused, since that also knew the CA's other certificates. */
function issuerView(verdict: Verdict, { issuerAcl, options }: Settings): AclView {
  const seconds = Math.floor(options.time.getTime() / 1000)
  if (issuerAcl === undefined) return { allowed: undefined }
  if (verdict.ok && !verdict.verified) {
    const steps = decideUnverifiedIssuer(issuerAcl, verdict.presented, seconds)
    const decision = runSync(steps, handlers)
    return decision.allowed
      ? { allowed: true, entry: decision.entry }
      : { allowed: false, code: decision.code }
  }
  if (!verdict.ok) {
    const { failure } = verdict
    if (failure.code === 'issuer-denied' || failure.code === 'issuer-deny-unchecked') {
      return { allowed: false, code: failure.code, entry: failure.entry }
    }
    if (failure.code === 'acl-empty') return { allowed: false, code: failure.code }
    if (failure.code !== 'issuer-not-allowed' && !askedLater.has(failure.code)) {
      return { allowed: undefined }
    }
  }
  const path = pathOf(verdict)
  if (path === undefined) {
    return verdict.ok ? { allowed: undefined } : { allowed: false, code: 'issuer-not-allowed' }
  }
  const { decision, nearest } = runSync(explainIssuerAcl(issuerAcl, path, seconds), handlers)
  if (decision.allowed) return { allowed: true, entry: decision.entry }
  return { allowed: false, code: decision.code, ...(nearest === undefined ? {} : { nearest }) }
}

function clientView(verdict: Verdict, { clientAcl, options }: Settings): AclView {
  const seconds = Math.floor(options.time.getTime() / 1000)
  if (clientAcl === undefined) return { allowed: undefined }
  if (!verdict.ok) {
    const { failure } = verdict
    if (failure.code === 'client-denied') {
      return { allowed: false, code: failure.code, entry: failure.entry }
    }
  }
  const path = pathOf(verdict)
  if (path === undefined) return { allowed: undefined }
  const { decision, nearest } = runSync(explainClientAcl(clientAcl, path, seconds), handlers)
  if (decision.allowed) return { allowed: true, entry: decision.entry }
  return { allowed: false, code: decision.code, ...(nearest === undefined ? {} : { nearest }) }
}

/** The valid path that the ACLs looked at, if there was one. */
function pathOf(verdict: Verdict): AclPath | undefined {
  if (verdict.ok) return verdict.verified ? aclPath(verdict.path, verdict.anchor) : undefined
  const attempt = verdict.attempts.find(({ failure }) => failure === verdict.failure)
  if (attempt?.anchor === undefined || !aclCodes.has(attempt.failure.code)) return undefined
  return aclPath(attempt.certificates, attempt.anchor)
}

function aclPath(certificates: readonly Certificate[], anchor: TrustAnchor): AclPath {
  const { name, subjectPublicKeyInfo, certificate } = anchor
  return { certificates, anchor: { name, spki: subjectPublicKeyInfo.der, certificate } }
}

function profileViews(source: Source, options: ValidateOptions): readonly ProfileView[] {
  if (options.validateCertificate === false) return []
  return profiles.map((profile) => {
    const verdict = judgeAgain(source, { ...options, profile })
    return { profile, reason: verdict.ok ? undefined : describeFailure(verdict.failure) }
  })
}

const handlers = /* @__PURE__ */ nodeHandlers()
const profiles: readonly Profile[] = ['interoperable', 'rfc5280']
/** Found only when the ACLs had allowed. */
const askedLater: ReadonlySet<string> = new Set(['certificate-revoked', 'revocation-unknown'])
const aclCodes: ReadonlySet<string> = new Set([
  ...askedLater,
  'acl-empty',
  'issuer-not-allowed',
  'issuer-denied',
  'client-not-allowed',
  'client-denied',
])

/** What somebody means as a code, and may have misspelt. */
const codeLike = /^[a-z]+(?:-[a-z0-9]+)+$/
