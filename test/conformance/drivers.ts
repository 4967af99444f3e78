/** The two drivers under which suites run: sync over `node:crypto`, async over WebCrypto. @module */
import { runAsync, runSync, type Steps } from '../../src/effect/effect.ts'
import {
  type CertificateSource,
  type IssuerAcl,
  type Refused,
  type Verdict,
  type Verified,
  validateClientCertificate,
} from '../../src/index.web.ts'
import { nodeHandlers } from '../../src/runtime/node.ts'
import { webHandlers } from '../../src/runtime/web.ts'
import { type ValidateOptionsSync, validateClientCertificateSync } from '../../src/sync.ts'

/** What a suite asks for: the path is always validated, at a time that the case gives. */
export type Options = Omit<PathValidation, 'issuerAcl' | 'validateACLForIssuer' | 'time'> & {
  readonly time: Date
  readonly issuerAcl?: IssuerAcl
}
type PathValidation = Extract<
  ValidateOptionsSync,
  { readonly validateCertificate?: true | undefined; readonly issuerAcl: IssuerAcl }
>

export type { Verified }
export type DriverName = 'sync' | 'async'

export interface Driver {
  readonly name: DriverName
  validate(certificate: CertificateSource, options: Options): Answer | Promise<Answer>
  /** Runs steps of the core by themselves. */
  run<T>(steps: Steps<T>): T | Promise<T>
}

type Answer = Verified | Refused

export function makeDrivers(): Readonly<Record<DriverName, Driver>> {
  const node = nodeHandlers()
  const web = webHandlers()
  return {
    sync: {
      name: 'sync',
      validate: (certificate, options) =>
        answerOf(validateClientCertificateSync(certificate, optionsOf(options))),
      run: (steps) => runSync(steps, node),
    },
    async: {
      name: 'async',
      validate: async (certificate, options) =>
        answerOf(await validateClientCertificate(certificate, optionsOf(options))),
      run: (steps) => runAsync(steps, web),
    },
  }
}

function optionsOf({ issuerAcl, ...options }: Options): ValidateOptionsSync {
  return issuerAcl ? { ...options, issuerAcl } : options
}

function answerOf(verdict: Verdict): Answer {
  if (verdict.ok && !verdict.verified) throw new Error('nothing was validated')
  return verdict
}
