/**
 * What lists and responses say about one certificate, found out a second time by other means: a reader of its own, OpenSSL for
 * signatures, and the rules of RFC 5280 §6.3.3 and RFC 6960 §3.2 applied to all that is there at once. It takes nothing from the
 * code under test.
 * @module
 */

import * as crypto from 'node:crypto'

/** A certificate, and who may speak about it. */
export interface Subject {
  /** Hexadecimal octets. */
  readonly serialNumber: string
  /** DER of the name. */
  readonly issuer: Uint8Array
  /** DER of the SubjectPublicKeyInfo. */
  readonly issuerKey: Uint8Array
  readonly points:
    | readonly { readonly uri: string; readonly crlIssuer: Uint8Array | undefined }[]
    | undefined
  readonly listSigners: readonly ListSigner[]
  /** Unix seconds. */
  readonly notBefore: number
  readonly notAfter: number
  /** Certificates of delegates as they were issued, hexadecimal. */
  readonly genuine: readonly string[]
}

export interface ListSigner {
  readonly name: Uint8Array
  /** DER of the SubjectPublicKeyInfo. */
  readonly key: Uint8Array
  /** Its own certificate, for a signer that is not the issuer: a revoked one signs nothing. */
  readonly subject?: Subject
  /** Whether something has to say that it is good, where what is unknown is denied. */
  readonly mustBeGood?: boolean
}

/** The rule under which a list or a response counts. Seconds. */
export interface Clock {
  readonly time: number
  readonly tolerance: number
  readonly staleFor: number
  readonly maxAge: number | undefined
  readonly onUnknown: 'deny' | 'allow'
}

export interface Item {
  readonly kind: 'crl' | 'ocsp'
  readonly der: Uint8Array
}

export interface Opinion {
  /**
   * Whether something that counts says so. `maybe`: only a response does whose responder has another certificate than it was issued,
   * about the form of which two readers may differ.
   */
  readonly revoked: 'yes' | 'maybe' | 'no'
  /** Whether something that counts says so, for all reasons. */
  readonly good: boolean
}

export function opinionOf(items: readonly Item[], subject: Subject, clock: Clock): Opinion {
  const ders = (kind: Item['kind']) =>
    items.filter((one) => one.kind === kind).map(({ der }) => der)
  const listSigners = subject.listSigners.filter(({ subject: own, mustBeGood }) => {
    if (own === undefined) return true
    const opinion = opinionOf(items, own, clock)
    const isUnknown = mustBeGood === true && clock.onUnknown === 'deny' && !opinion.good
    return opinion.revoked === 'no' && !isUnknown
  })
  const byList = opinionOfLists(ders('crl'), { ...subject, listSigners }, clock)
  const byResponse = opinionOfResponses(ders('ocsp'), ders('crl'), subject, clock)
  return {
    revoked: worst(byList.revoked, byResponse.revoked),
    good: byList.good || byResponse.good,
  }
}

function worst(...opinions: readonly Opinion['revoked'][]): Opinion['revoked'] {
  return opinions.find((one) => one === 'yes') ?? opinions.find((one) => one === 'maybe') ?? 'no'
}

/** What of a list matters here. */
interface List {
  readonly issuer: string
  readonly thisUpdate: number
  readonly nextUpdate: number | undefined
  readonly number: bigint | undefined
  readonly base: bigint | undefined
  /** Octets of what a delta and its base must share. */
  readonly scope: string
  readonly point: Point | undefined
  /** Against RFC 5280 §5.2.3, §5.2.4 or §5.2.5, or crowded: such a list revokes, and says nothing else. */
  readonly isAmiss: boolean
  /** Of the entries for the certificate, the reason code that weighs most; 0 where an entry has none. */
  readonly worst: number | undefined
}

interface Point {
  readonly names: ReadonlySet<string> | undefined
  /** Tags of the flags that are set: 0x81, 0x82, 0x84, 0x85. */
  readonly flags: ReadonlySet<number>
  readonly reasons: number
}

function opinionOfLists(ders: readonly Uint8Array[], subject: Subject, clock: Clock): Opinion {
  const lists = ders.flatMap((der) => readList(der, subject) ?? [])
  const begun = lists.filter(({ thisUpdate }) => thisUpdate - clock.tolerance <= clock.time)
  const isCurrent = (list: List) => isWithin(list, { ...clock, staleFor: 0 })
  const isBase = (base: List, delta: List) =>
    delta.base !== undefined &&
    base.base === undefined &&
    base.issuer === delta.issuer &&
    base.scope === delta.scope &&
    base.number !== undefined &&
    delta.number !== undefined &&
    delta.base <= base.number &&
    base.number < delta.number
  // A complete list and a current delta of it are one list with the times of the delta: RFC 5280 §5.2.4.
  const isUpdated = (list: List) =>
    begun.some((delta) => !delta.isAmiss && isCurrent(delta) && isBase(list, delta))
  const isLater = (list: List, than: List) =>
    list.thisUpdate >= than.thisUpdate &&
    (list.number === undefined || than.number === undefined
      ? list.thisUpdate > than.thisUpdate
      : list.number > than.number)
  const lifts = (later: List, list: List) =>
    later.base === undefined
      ? isLater(later, list) && reasonsOf(later, subject) !== 0
      : later.worst === removed &&
        (list.base === undefined
          ? isBase(list, later)
          : isLater(later, list) && begun.some((base) => isBase(base, later)))
  // Only what is on hold comes back: RFC 5280 §5.3.1. A later list that lists it again revokes of its own accord.
  const isLifted = (list: List) =>
    list.worst === onHold &&
    begun.some(
      (later) =>
        later !== list &&
        !later.isAmiss &&
        (isCurrent(later) || isUpdated(later)) &&
        later.issuer === list.issuer &&
        later.scope === list.scope &&
        lifts(later, list),
    )
  const isRevoking = (list: List) =>
    list.worst !== undefined &&
    !(list.base !== undefined && list.worst === removed) &&
    list.point?.flags.has(attributeFlag) !== true &&
    !isLifted(list)
  let covered = 0
  for (const list of begun) {
    if (list.base !== undefined || list.isAmiss) continue
    if (!isWithin(list, clock) && !isUpdated(list)) continue
    covered |= reasonsOf(list, subject)
  }
  return { revoked: begun.some(isRevoking) ? 'yes' : 'no', good: covered === allReasons }
}

/** The reasons for which a list speaks about the certificate. RFC 5280 §6.3.3 (b) and (d) */
function reasonsOf({ point, issuer }: List, subject: Subject): number {
  const own = nameKey(subject.issuer)
  const points = subject.points ?? [{ uri: undefined, crlIssuer: undefined }]
  let reasons = 0
  for (const { uri, crlIssuer } of points) {
    const isIndirect = point?.flags.has(indirectFlag) === true
    if (crlIssuer !== undefined && !(isIndirect && nameKey(crlIssuer) === issuer)) continue
    if (crlIssuer === undefined && issuer !== own) continue
    if (crlIssuer === undefined && uri !== undefined && isIndirect) continue
    const wanted = uri === undefined ? `name ${own}` : `uri ${uri}`
    if (point?.names !== undefined && !point.names.has(wanted)) continue
    if (point?.flags.has(caFlag) || point?.flags.has(attributeFlag)) continue
    reasons |= (point?.reasons ?? allReasons) & allReasons
  }
  return reasons
}

/** @returns `undefined` for what is no list, signed by nobody who may, or of which nobody knows what its extensions mean. */
function readList(der: Uint8Array, subject: Subject): List | undefined {
  const [whole, ...more] = elementsOf(der) ?? []
  const [tbs, outer, bits, ...rest] = inside(whole) ?? []
  if (more.length + rest.length > 0 || tbs === undefined || bits?.tag !== 0x03) return undefined
  const fields = inside(tbs)?.slice() ?? []
  const version = fields[0]?.tag === 0x02 ? toHex(fields.shift()?.content) : '00'
  const [algorithm, issuer, thisUpdate] = fields.splice(0, 3)
  if (!isEd25519(outer) || !isEd25519(algorithm) || issuer?.tag !== 0x30) return undefined
  if (version !== '00' && version !== '01') return undefined
  const begins = timeOf(thisUpdate)
  const hasNext = fields[0]?.tag === 0x17 || fields[0]?.tag === 0x18
  const ends = hasNext ? timeOf(fields.shift()) : undefined
  if (begins === undefined || (hasNext && ends === undefined)) return undefined
  const revoked = fields[0]?.tag === 0x30 ? inside(fields.shift()) : []
  const extensions = fields[0]?.tag === 0xa0 ? extensionsUnder(fields.shift()) : []
  if (fields.length > 0 || revoked === undefined || extensions === undefined) return undefined
  const key = nameKey(issuer.whole)
  const signed = subject.listSigners.some(
    (signer) => nameKey(signer.name) === key && isSigned(der, tbs, bits, signer.key),
  )
  if (!signed) return undefined
  if (extensions.some(({ critical, id }) => critical && !listExtensions.has(id))) return undefined
  const isAmiss =
    isCrowded(revoked) ||
    extensions.some(({ id, critical }) => ownExtensions.has(id) && critical !== (id !== '551d14'))
  const octetsOf = (id: string) => extensions.find((one) => one.id === id)?.value
  const point = readPoint(octetsOf('551d1c'))
  const entries = entriesFor(revoked, subject, key, point?.flags.has(indirectFlag) === true)
  if (entries === undefined || point === null) return undefined
  const keyIdentifier = inside(elementsOf(octetsOf('551d23'))?.[0])?.find(({ tag }) => tag === 0x80)
  return {
    issuer: key,
    thisUpdate: begins,
    nextUpdate: ends,
    number: numberOf(octetsOf('551d14')),
    base: numberOf(octetsOf('551d1b')),
    isAmiss,
    scope: `${toHex(octetsOf('551d1c'))} ${toHex(keyIdentifier?.content)}`,
    point,
    worst: entries.sort((a, b) => weightOf(b) - weightOf(a))[0],
  }
}

/** Whether one serial number comes a thousand times: no CA revokes so often, and a look-up would pay for it. */
function isCrowded(entries: readonly Element[]): boolean {
  if (entries.length < 1_000) return false
  const counts = new Map<string, number>()
  for (const entry of entries) {
    const serial = toHex(inside(entry)?.[0]?.content)
    counts.set(serial, (counts.get(serial) ?? 0) + 1)
  }
  return Math.max(...counts.values()) > 1_000
}

function weightOf(reason: number): number {
  return reason === removed ? 1 : reason === onHold ? 2 : 3
}

/** @returns `null` for one that is malformed. */
function readPoint(value: Uint8Array | undefined): Point | undefined | null {
  if (value === undefined) return undefined
  const fields = inside(elementsOf(value)?.[0])
  if (fields === undefined) return null
  let names: Set<string> | undefined
  let reasons = allReasons
  const flags = new Set<number>()
  for (const field of fields) {
    if (field.tag === 0xa0) {
      names = new Set()
      const [choice] = inside(field) ?? []
      for (const name of inside(choice) ?? []) {
        if (name.tag === 0x86) names.add(`uri ${Buffer.from(name.content).toString('latin1')}`)
        if (name.tag === 0xa4) names.add(`name ${nameKey(name.content)}`)
      }
    } else if (field.tag === 0x83) {
      reasons = 0
      const [, ...octets] = field.content
      octets.forEach((octet, at) => {
        for (let bit = 0; bit < 8; bit++) if (octet & (0x80 >> bit)) reasons |= 1 << (8 * at + bit)
      })
    } else if (toHex(field.content) === 'ff') flags.add(field.tag)
    else return null
  }
  return { names, flags, reasons }
}

/** Reason codes of the entries for the certificate; `undefined` when an entry is malformed or nobody knows what it means. */
function entriesFor(
  revoked: readonly Element[],
  subject: Subject,
  issuer: string,
  isIndirect: boolean,
): number[] | undefined {
  const own = nameKey(subject.issuer)
  const reasons: number[] = []
  let issuers: readonly string[] = [issuer]
  for (const entry of revoked) {
    const [serial, date, extensions, ...more] = inside(entry) ?? []
    if (serial?.tag !== 0x02 || timeOf(date) === undefined || more.length > 0) return undefined
    const all = extensions === undefined ? [] : extensionsOf(extensions)
    if (all === undefined) return undefined
    if (all.some(({ critical, id }) => critical && !entryExtensions.has(id))) return undefined
    const named = all.find(({ id }) => id === '551d1d')?.value
    if (named !== undefined) {
      if (!isIndirect) return undefined
      const names = inside(elementsOf(named)?.[0]) ?? []
      issuers = names.flatMap(({ tag, content }) => (tag === 0xa4 ? [nameKey(content)] : []))
    }
    if (toHex(serial.content) !== subject.serialNumber || !issuers.includes(own)) continue
    const reason = all.find(({ id }) => id === '551d15')?.value
    reasons.push(elementsOf(reason)?.[0]?.content[0] ?? 0)
  }
  return reasons
}

/** @param lists - What may revoke a delegate. */
function opinionOfResponses(
  ders: readonly Uint8Array[],
  lists: readonly Uint8Array[],
  subject: Subject,
  clock: Clock,
): Opinion {
  const isRevoked: IsRevoked = (serialNumber) => {
    const own = { ...subject, serialNumber, points: undefined }
    return opinionOfLists(lists, own, clock).revoked !== 'no'
  }
  let revoked: Opinion['revoked'] = 'no'
  let good = false
  for (const der of ders) {
    for (const { status, begins, ends, producedAt, isDoubtful } of answersOf(
      der,
      subject,
      clock,
      isRevoked,
    )) {
      if (Math.max(begins, producedAt) - clock.tolerance > clock.time) continue
      if (status === revokedTag) revoked = worst(revoked, isDoubtful ? 'maybe' : 'yes')
      const counts =
        isWithin({ thisUpdate: begins, nextUpdate: ends }, clock) &&
        producedAt >= subject.notBefore - clock.tolerance &&
        producedAt <= subject.notAfter + clock.tolerance
      if (status === goodTag && counts) good = true
    }
  }
  return { revoked, good }
}

interface Answer {
  readonly status: number
  readonly begins: number
  readonly ends: number | undefined
  readonly producedAt: number
  /** The responder's certificate is not as it was issued. */
  readonly isDoubtful: boolean
}

/** Answers about the certificate in a response that is signed by whom it should be. */
function answersOf(
  der: Uint8Array,
  subject: Subject,
  clock: Clock,
  isRevoked: IsRevoked,
): readonly Answer[] {
  const [whole, ...more] = elementsOf(der) ?? []
  const [status, wrapped, ...rest] = inside(whole) ?? []
  if (more.length + rest.length > 0 || toHex(status?.whole) !== '0a0100') return []
  const [type, octets] = inside(inside(wrapped)?.[0]) ?? []
  if (toHex(type?.content) !== '2b0601050507300101' || octets?.tag !== 0x04) return []
  const [data, algorithm, bits, sent] = inside(elementsOf(octets.content)?.[0]) ?? []
  if (data === undefined || bits?.tag !== 0x03 || !isEd25519(algorithm)) return []
  const [responder, produced, responses, extended, ...others] = inside(data) ?? []
  const producedAt = timeOf(produced)
  const singles = inside(responses)
  if (responder === undefined || producedAt === undefined || singles === undefined) return []
  const extensions = extended === undefined ? [] : extensionsUnder(extended)
  if (extensions === undefined || others.length > 0) return []
  if (extensions.some(({ critical, id }) => critical && !responseExtensions.has(id))) return []
  const certificates = inside(inside(sent)?.[0]) ?? []
  const isDoubtful = certificates.some(({ whole: one }) => !subject.genuine.includes(toHex(one)))
  const answers = singles.flatMap((single) => {
    const answer = readSingle(single, subject)
    return answer === undefined ? [] : [{ ...answer, producedAt, isDoubtful }]
  })
  if (answers.length === 0) return []
  const signed = { der, responder, data, bits, certificates, isRevoked }
  if (isAnswered(signed, subject, clock, clock.time)) return answers
  // What a delegate said while its certificate was valid still revokes.
  return isAnswered(signed, subject, clock, producedAt)
    ? answers.filter((answer) => answer.status === revokedTag)
    : []
}

function readSingle(
  single: Element,
  subject: Subject,
): Omit<Answer, 'producedAt' | 'isDoubtful'> | undefined {
  const [id, status, thisUpdate, ...rest] = inside(single) ?? []
  const [hash, name, key, serial] = inside(id) ?? []
  const begins = timeOf(thisUpdate)
  if (status === undefined || begins === undefined) return undefined
  if (serial?.tag !== 0x02 || toHex(serial.content) !== subject.serialNumber) return undefined
  const [oid, parameters] = inside(hash) ?? []
  const algorithm = hashes[toHex(oid?.content)]
  if (algorithm === undefined) return undefined
  if (parameters !== undefined && toHex(parameters.whole) !== '0500') return undefined
  const digest = (data: Uint8Array) => crypto.createHash(algorithm).update(data).digest('hex')
  if (toHex(name?.content) !== digest(subject.issuer)) return undefined
  if (toHex(key?.content) !== digest(keyBits(subject.issuerKey))) return undefined
  const next = rest[0]?.tag === 0xa0 ? inside(rest.shift())?.[0] : undefined
  const extensions = rest[0]?.tag === 0xa1 ? extensionsUnder(rest.shift()) : []
  if (rest.length > 0 || extensions === undefined) return undefined
  if (extensions.some(({ critical, id }) => critical && !singleExtensions.has(id))) return undefined
  const ends = timeOf(next)
  if (next !== undefined && ends === undefined) return undefined
  return { status: status.tag, begins, ends }
}

/** Whether a delegate's own certificate is, by its serial number. */
type IsRevoked = (serialNumber: string) => boolean

interface SignedAnswers {
  readonly der: Uint8Array
  readonly isRevoked: IsRevoked
  readonly responder: Element
  readonly data: Element
  readonly bits: Element
  readonly certificates: readonly Element[]
}

/**
 * Whether the CA or a delegate of it made the signature, and is named as who did. RFC 6960 §4.2.2.2
 *
 * @param time - At which a delegate's certificate has not run out.
 */
function isAnswered(
  { der, responder, data, bits, certificates, isRevoked }: SignedAnswers,
  subject: Subject,
  { time: now, tolerance }: Clock,
  time: number,
): boolean {
  const names = (name: Uint8Array, spki: Uint8Array): boolean => {
    const [inner] = inside(responder) ?? []
    if (inner === undefined) return false
    if (responder.tag === 0xa1) return nameKey(inner.whole) === nameKey(name)
    const digest = crypto.createHash('sha1').update(keyBits(spki)).digest('hex')
    return responder.tag === 0xa2 && toHex(inner.content) === digest
  }
  const { issuer, issuerKey } = subject
  if (names(issuer, issuerKey) && isSigned(der, data, bits, issuerKey)) return true
  for (const certificate of certificates) {
    const [tbs, algorithm, signature] = inside(certificate) ?? []
    const fields = inside(tbs) ?? []
    const [, serial, , by, validity, name, spki] = fields
    const [begins, ends] = inside(validity)?.map(timeOf) ?? []
    if (tbs === undefined || signature === undefined || !isEd25519(algorithm)) continue
    if (by === undefined || name === undefined || spki === undefined) continue
    if (nameKey(by.whole) !== nameKey(issuer) || !names(name.whole, spki.whole)) continue
    if (begins === undefined || ends === undefined) continue
    if (begins - tolerance > Math.min(now, time) || ends + tolerance < time) continue
    const extensions = extensionsUnder(fields.find(({ tag }) => tag === 0xa3))
    const purposes = extensions?.find(({ id }) => id === '551d25')?.value
    const signs = inside(elementsOf(purposes)?.[0])?.some(
      ({ content }) => toHex(content) === '2b06010505070309',
    )
    const isUnchecked = extensions?.some(({ id }) => id === '2b0601050507300105') === true
    if (signs !== true || (!isUnchecked && isRevoked(toHex(serial?.content)))) continue
    if (isSigned(der, tbs, signature, issuerKey) && isSigned(der, data, bits, spki.whole))
      return true
  }
  return false
}

function isWithin(
  {
    thisUpdate,
    nextUpdate,
  }: { readonly thisUpdate: number; readonly nextUpdate: number | undefined },
  { time, tolerance, staleFor, maxAge }: Clock,
): boolean {
  const oldest = maxAge === undefined ? undefined : thisUpdate + maxAge
  const ends = [nextUpdate, oldest].filter((end) => end !== undefined)
  return (
    ends.length > 0 &&
    thisUpdate - tolerance <= time &&
    time <= Math.min(...ends) + tolerance + staleFor
  )
}

interface Extension {
  /** Hexadecimal octets of the OID. */
  readonly id: string
  readonly critical: boolean
  readonly value: Uint8Array
}

function extensionsUnder(wrapped: Element | undefined): readonly Extension[] | undefined {
  const [sequence, ...more] = inside(wrapped) ?? []
  return sequence === undefined || more.length > 0 ? undefined : extensionsOf(sequence)
}

function extensionsOf(sequence: Element): readonly Extension[] | undefined {
  const extensions: Extension[] = []
  for (const one of inside(sequence) ?? []) {
    const fields = inside(one)
    const id = toHex(fields?.[0]?.content)
    const value = fields?.at(-1)
    const critical = fields?.length === 3 && fields[1]?.tag === 0x01
    if (value?.tag !== 0x04 || (fields?.length !== 2 && !critical)) return undefined
    if (extensions.some((other) => other.id === id)) return undefined
    extensions.push({ id, critical, value: value.content })
  }
  return extensions.length === 0 ? undefined : extensions
}

/** One TLV with a tag of one octet, its length definite and as short as it can be. */
interface Element {
  readonly tag: number
  readonly content: Uint8Array
  readonly whole: Uint8Array
}

function elementsOf(bytes: Uint8Array | undefined): readonly Element[] | undefined {
  if (bytes === undefined) return undefined
  const elements: Element[] = []
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at] as number
    const first = bytes[at + 1]
    if (first === undefined || first === 0x80 || first > 0x83) return undefined
    const octets = first < 0x80 ? 0 : first - 0x80
    let length = octets === 0 ? first : 0
    for (let i = 0; i < octets; i++) length = length * 256 + (bytes[at + 2 + i] ?? 0)
    if (octets > 0 && length < (octets === 1 ? 0x80 : 256 ** (octets - 1))) return undefined
    const start = at + 2 + octets
    const end = start + length
    if (end > bytes.length) return undefined
    elements.push({ tag, content: bytes.subarray(start, end), whole: bytes.subarray(at, end) })
    at = end
  }
  return elements
}

function inside(element: Element | undefined): Element[] | undefined {
  return element === undefined || (element.tag & 0x20) === 0
    ? undefined
    : elementsOf(element.content)?.slice()
}

/** Unix seconds. */
function timeOf(element: Element | undefined): number | undefined {
  if (element === undefined) return undefined
  const text = Buffer.from(element.content).toString('latin1')
  const pattern = element.tag === 0x17 ? /^\d{12}Z$/ : /^\d{14}(\.\d+)?Z$/
  if ((element.tag !== 0x17 && element.tag !== 0x18) || !pattern.test(text)) return undefined
  const digits = element.tag === 0x17 ? `${Number(text.slice(0, 2)) < 50 ? 20 : 19}${text}` : text
  const [, year, month, day, hour, minute, second] = (
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)/.exec(digits) ?? []
  ).map(Number)
  const iso = [year, month, day].map((part = 0, i) => `${part}`.padStart(i === 0 ? 4 : 2, '0'))
  const clock = [hour, minute, second].map((part = 0) => `${part}`.padStart(2, '0'))
  const text8601 = `${iso.join('-')}T${clock.join(':')}`
  const milliseconds = Date.parse(`${text8601}Z`)
  if (Number.isNaN(milliseconds)) return undefined
  // A 30th of February would be a day of March.
  return new Date(milliseconds).toISOString().startsWith(text8601) ? milliseconds / 1000 : undefined
}

function numberOf(value: Uint8Array | undefined): bigint | undefined {
  const [element] = elementsOf(value) ?? []
  return element?.tag === 0x02 && element.content.length > 0
    ? BigInt(`0x${toHex(element.content)}`)
    : undefined
}

/** A name without what RFC 5280 §7.1 does not look at: case, spaces at the ends and beside others, the type of string. */
function nameKey(der: Uint8Array): string {
  const [name] = elementsOf(der) ?? []
  return (inside(name) ?? [])
    .map((set) =>
      (inside(set) ?? [])
        .map((pair) => {
          const [type, value] = inside(pair) ?? []
          return `${toHex(type?.content)}=${folded(value)}`
        })
        .sort()
        .join('+'),
    )
    .join(',')
}

function folded(value: Element | undefined): string {
  if (value === undefined) return ''
  const { content, tag } = value
  if (!textTags.has(tag)) return toHex(value.whole)
  const wide = tag === 0x1e ? 2 : tag === 0x1c ? 4 : 0
  const text =
    wide === 0
      ? Buffer.from(content).toString('utf8')
      : Array.from({ length: content.length / wide }, (_, i) =>
          String.fromCharCode(
            (content[wide * i + wide - 2] ?? 0) * 256 + (content[wide * i + wide - 1] ?? 0),
          ),
        ).join('')
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\s\u0085]+/g, ' ')
    .replace(/[\p{Cc}\p{Cf}]/gu, '')
    .replace(/ +/g, ' ')
    .trim()
}

function isEd25519(algorithm: Element | undefined): boolean {
  return toHex(algorithm?.whole) === '300506032b6570'
}

/** @param der - What both elements stand in: most are as they were issued, and come again and again. */
function isSigned(der: Uint8Array, data: Element, bits: Element, spki: Uint8Array): boolean {
  const known = signatures.get(der) ?? new Map<string, boolean>()
  signatures.set(der, known)
  const id = `${data.whole.byteOffset} ${bits.whole.byteOffset} ${toHex(spki)}`
  const isValid = known.get(id) ?? verifies(data, bits, spki)
  known.set(id, isValid)
  return isValid
}

function verifies(data: Element, bits: Element, spki: Uint8Array): boolean {
  if (bits.content[0] !== 0) return false
  try {
    const key = crypto.createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
    const signature = bits.content.subarray(1)
    return key.asymmetricKeyType === 'ed25519' && crypto.verify(null, data.whole, key, signature)
  } catch {
    return false
  }
}

/** The octets of the BIT STRING, whose length an Ed25519 key fixes. */
function keyBits(spki: Uint8Array): Uint8Array {
  const [, bits] = inside(elementsOf(spki)?.[0]) ?? []
  return bits?.content.subarray(1) ?? spki
}

function toHex(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? 'none' : Buffer.from(bytes).toString('hex')
}

const signatures = new WeakMap<Uint8Array, Map<string, boolean>>()
const hashes: Readonly<Record<string, string | undefined>> = {
  '2b0e03021a': 'sha1',
  '608648016503040201': 'sha256',
}
/** Bits 1 to 8 of ReasonFlags. */
const allReasons = 0x1fe
const onHold = 6
const removed = 8
const caFlag = 0x82
const indirectFlag = 0x84
const attributeFlag = 0x85
const goodTag = 0x80
const revokedTag = 0xa1
const listExtensions = new Set(['551d23', '551d14', '551d1b', '551d1c', '551d2e'])
/** All but TeletexString, which equals itself alone. */
const textTags = new Set([0x0c, 0x13, 0x16, 0x1c, 0x1e])
const ownExtensions = new Set(['551d14', '551d1b', '551d1c'])
const entryExtensions = new Set(['551d15', '551d18', '551d1d'])
const responseExtensions = new Set(['2b0601050507300102', '2b0601050507300109'])
const singleExtensions = new Set([
  '2b0601050507300103',
  '2b0601050507300106',
  '2b06010401d679020405',
  '551d18',
])
