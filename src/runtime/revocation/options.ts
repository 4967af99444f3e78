/** What a source of revocation data may be told, and the checks that half a configuration does not pass. @module */

import { Intermediates } from '../../client/intermediates.ts'
import { misuse } from '../../client/misuse.ts'
import { TrustAnchors } from '../../client/trust-anchors.ts'
import type { DigestName } from '../../effect/effect.ts'
import type { IssuerIndex } from '../../path/issuer-index.ts'
import { AddressRules } from './addresses.ts'
import type { RevocationEvent } from './event.ts'
import type { ExchangeRules, Lookup } from './exchange.ts'
import type { ListKeeperOptions } from './list-keeper.ts'
import type { ResponseKeeperOptions } from './response-keeper.ts'
import type { UpkeepRules } from './upkeep.ts'
import { readUri } from './uri.ts'

/** All durations are milliseconds, all sizes octets. */
export interface RevocationSourceOptions {
  readonly crls?: CrlOptions | undefined
  readonly ocsp?: OcspOptions | undefined
  /**
   * CAs whose lists are verified before they are put in force: a list under the name of one of them that none of its keys has signed
   * is not taken. Others are taken as they come, and judged by validation.
   */
  readonly signers?: Signer | readonly Signer[] | undefined
  /** Where answers are kept over a restart; made if absent. Default: nowhere. */
  readonly cacheFolder?: string | undefined
  /** Of all files in it; default 536,870,912. */
  readonly maxCacheBytes?: number | undefined
  /** Of a whole exchange, from the look-up of the name to the last octet, redirects included; default 30,000. */
  readonly timeout?: number | undefined
  /** Of one answer, on the wire and inflated, and of one file; default 67,108,864. */
  readonly maxBytes?: number | undefined
  /** Exchanges that are open at once; default 8. */
  readonly maxConcurrent?: number | undefined
  readonly refresh?: RefreshOptions | undefined
  readonly retry?: RetryOptions | undefined
  /**
   * What may be connected to besides public addresses: networks as `10.0.0.0/8`, addresses, host names (whatever they resolve to),
   * `private` (RFC 1918, carrier-grade NAT, ULA) or `loopback`. Default: nothing.
   */
  readonly allowAddresses?: readonly string[] | undefined
  /** CAs of https servers, PEM, in place of those that Node trusts. */
  readonly tlsCa?: string | readonly string[] | undefined
  /** Resolves host names; what it finds is judged like any address. Default: the system's resolver. */
  readonly lookup?: Lookup | undefined
  /** Default: the system's clock. */
  readonly now?: (() => Date) | undefined
  /** From 0, below 1: jitter. Default: `Math.random`. */
  readonly random?: (() => number) | undefined
  /** Told of everything that is fetched, taken or refused. */
  readonly onEvent?: ((event: RevocationEvent) => void) | undefined
}

type Signer = TrustAnchors | Intermediates

export interface CrlOptions {
  /** Files and folders with lists in DER or PEM; watched. Names that begin with a dot are passed over, folders inside a folder too. */
  readonly files?: readonly string[] | undefined
  /** http and https; fetched at the start and kept fresh. */
  readonly urls?: readonly string[] | undefined
  /** Whether the lists that certificates name are fetched; default false. */
  readonly distributionPoints?: boolean | undefined
  /** How many such URIs are kept, those asked for last; default 256. */
  readonly maxLearned?: number | undefined
}

export interface OcspOptions {
  /** `aia`: the one that each certificate names; or the URL of one for all. */
  readonly responder: 'aia' | string | URL
  /** `get-when-short`: where the request has less than 255 characters as a URL and no nonce. Default `post`. */
  readonly method?: 'post' | 'get-when-short' | undefined
  /** `require`: an answer without it does not count. Default `none`: many responders answer from what they signed before. */
  readonly nonce?: 'none' | 'send' | 'require' | undefined
  /** By which requests name the issuer; default SHA-1, which all responders know. */
  readonly hash?: DigestName | undefined
  /** Certificates whose answers are kept, those asked for last; default 1,000. */
  readonly maxResponses?: number | undefined
}

export interface RefreshOptions {
  /** Share of the time left until nextUpdate after which the next fetch begins, up to a fifth earlier by chance; default 0.5. */
  readonly fraction?: number | undefined
  /** The shortest time between two fetches of one URI; default 30,000. */
  readonly minimum?: number | undefined
  /** The longest; default 86,400,000. */
  readonly maximum?: number | undefined
}

/** After a failure; half of each delay is chance. Retry-After counts where it asks for more, up to `maximum`. */
export interface RetryOptions {
  /** Before the second try, doubled for each one after it; default 2,000. */
  readonly first?: number | undefined
  /** Default 600,000. */
  readonly maximum?: number | undefined
}

export interface PreparedSource {
  readonly files: readonly string[]
  readonly lists: ListKeeperOptions
  readonly responses: ResponseKeeperOptions
  readonly signers: readonly IssuerIndex[]
  readonly cacheFolder: string | undefined
  readonly maxCacheBytes: number
  readonly maxConcurrent: number
  readonly exchange: ExchangeRules
  readonly upkeep: UpkeepRules
  readonly now: () => Date
  readonly onEvent: ((event: RevocationEvent) => void) | undefined
}

/** @throws TypeError with a `code` and the `option` for options that make no sense. */
export function prepareSource(options: RevocationSourceOptions, clock: () => Date): PreparedSource {
  refuseUnknown(options, undefined, optionNames.source)
  const { crls = {}, ocsp, refresh = {}, retry = {} } = options
  refuseUnknown(crls, 'crls', optionNames.crls)
  refuseUnknown(refresh, 'refresh', optionNames.refresh)
  refuseUnknown(retry, 'retry', optionNames.retry)
  const now = options.now ?? clock
  const milliseconds = (): number => now().getTime()
  const { fraction = 0.5 } = refresh
  if (!(fraction > 0 && fraction < 1)) throw invalid('refresh.fraction', 'above 0 and below 1')
  const retryFirst = count(retry.first, 2000, 'retry.first', maxDelay)
  return {
    files: texts(crls.files, 'crls.files'),
    lists: {
      urls: texts(crls.urls, 'crls.urls').map((url) => urlOf(url, 'crls.urls')),
      distributionPoints: choice(crls.distributionPoints, [false, true], 'crls.distributionPoints'),
      maxLearned: count(crls.maxLearned, 256, 'crls.maxLearned'),
    },
    responses: prepareOcsp(ocsp),
    signers: prepareSigners(options.signers),
    cacheFolder: options.cacheFolder === undefined ? undefined : text(options.cacheFolder),
    maxCacheBytes: count(options.maxCacheBytes, 536_870_912, 'maxCacheBytes'),
    maxConcurrent: count(options.maxConcurrent, 8, 'maxConcurrent'),
    exchange: {
      timeout: count(options.timeout, 30_000, 'timeout', maxDelay),
      maxBytes: count(options.maxBytes, 67_108_864, 'maxBytes', maxOctets),
      addresses: new AddressRules(texts(options.allowAddresses, 'allowAddresses')),
      lookup: options.lookup,
      tlsCa: options.tlsCa,
      now: milliseconds,
    },
    upkeep: {
      refresh: {
        fraction,
        minimum: count(refresh.minimum, 30_000, 'refresh.minimum', maxDelay),
        maximum: count(refresh.maximum, 86_400_000, 'refresh.maximum', maxDelay),
      },
      retry: {
        first: retryFirst,
        maximum: Math.max(retryFirst, count(retry.maximum, 600_000, 'retry.maximum', maxDelay)),
      },
      now: milliseconds,
      random: options.random ?? Math.random,
    },
    now,
    onEvent: options.onEvent,
  }
}

function prepareOcsp(ocsp: OcspOptions | undefined): ResponseKeeperOptions {
  if (ocsp !== undefined) {
    refuseUnknown(ocsp, 'ocsp', optionNames.ocsp)
    if (ocsp.responder === undefined) {
      throw misuse('option-missing', "ocsp needs a responder: 'aia' or a URL", {
        option: 'ocsp.responder',
      })
    }
  }
  const { responder, method, nonce, hash, maxResponses }: Partial<OcspOptions> = ocsp ?? {}
  return {
    responder:
      responder === undefined || responder === 'aia'
        ? responder
        : urlOf(String(responder), 'ocsp.responder'),
    method: choice(method, ['post', 'get-when-short'], 'ocsp.method'),
    nonce: choice(nonce, ['none', 'send', 'require'], 'ocsp.nonce'),
    hash: choice(hash, ['SHA-1', 'SHA-256'], 'ocsp.hash'),
    maxResponses: count(maxResponses, 1000, 'ocsp.maxResponses'),
  }
}

function prepareSigners(signers: RevocationSourceOptions['signers'] = []): readonly IssuerIndex[] {
  const all: readonly unknown[] = Array.isArray(signers) ? signers : [signers]
  return all.map((one) => {
    if (one instanceof TrustAnchors || one instanceof Intermediates) return one.index
    throw invalid('signers', 'made by parseTrustAnchors or parseIntermediates')
  })
}

function urlOf(url: string, option: string): URL {
  const read = readUri(url)
  if (read.ok) return read.value
  const message = `${option}: ${JSON.stringify(url)} cannot be fetched: ${read.failure.code}`
  throw misuse('option-invalid', message, { option, failure: read.failure })
}

function count(
  value: number | undefined,
  absent: number,
  option: string,
  maximum: number = Number.MAX_SAFE_INTEGER,
): number {
  if (value === undefined) return absent
  if (Number.isInteger(value) && value >= 1 && value <= maximum) return value
  throw invalid(option, `a whole number from 1 to ${maximum}`)
}

/** The first is the default. */
function choice<T>(value: T | undefined, all: readonly [T, ...T[]], option: string): T {
  if (value === undefined) return all[0]
  if (all.includes(value)) return value
  throw invalid(option, `one of ${all.join(', ')}`)
}

function texts(value: readonly string[] | undefined, option: string): readonly string[] {
  if (value === undefined) return []
  if (Array.isArray(value) && value.every((one) => typeof one === 'string' && one !== '')) {
    return [...value]
  }
  throw invalid(option, 'a list of texts')
}

function text(value: string): string {
  if (typeof value === 'string' && value !== '') return value
  throw invalid('cacheFolder', 'a path')
}

/** A misspelt option would be taken for an absent one. */
function refuseUnknown(value: object, of: string | undefined, known: readonly string[]): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(of ?? 'options', 'an object')
  }
  for (const name of Object.keys(value)) {
    if (known.includes(name)) continue
    const option = of === undefined ? name : `${of}.${name}`
    throw misuse('option-unknown', `unknown option: ${option}`, { option })
  }
}

function invalid(option: string, expected: string): TypeError {
  return misuse('option-invalid', `${option} must be ${expected}`, { option })
}

/** The compiler holds the names to the type: none is missing, none too many. */
function fieldsOf<T>(fields: { readonly [K in keyof Required<T>]: true }): readonly string[] {
  return Object.keys(fields)
}

/** What each part of the options may have. */
export const optionNames: Readonly<
  Record<'source' | 'crls' | 'ocsp' | 'refresh' | 'retry', readonly string[]>
> = {
  source: /* @__PURE__ */ fieldsOf<RevocationSourceOptions>({
    crls: true,
    ocsp: true,
    signers: true,
    cacheFolder: true,
    maxCacheBytes: true,
    timeout: true,
    maxBytes: true,
    maxConcurrent: true,
    refresh: true,
    retry: true,
    allowAddresses: true,
    tlsCa: true,
    lookup: true,
    now: true,
    random: true,
    onEvent: true,
  }),
  crls: /* @__PURE__ */ fieldsOf<CrlOptions>({
    files: true,
    urls: true,
    distributionPoints: true,
    maxLearned: true,
  }),
  ocsp: /* @__PURE__ */ fieldsOf<OcspOptions>({
    responder: true,
    method: true,
    nonce: true,
    hash: true,
    maxResponses: true,
  }),
  refresh: /* @__PURE__ */ fieldsOf<RefreshOptions>({
    fraction: true,
    minimum: true,
    maximum: true,
  }),
  retry: /* @__PURE__ */ fieldsOf<RetryOptions>({ first: true, maximum: true }),
}

/** The longest that a timer takes. */
const maxDelay = 2_147_483_647
/** As `parseCrl`. */
const maxOctets = 536_870_912
