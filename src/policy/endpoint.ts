/**
 * Endpoints: which one a request is for. Policies only ever refuse, so that a request which might reach an endpoint must never be
 * taken for another one: whatever servers read differently is either read in the way that finds the endpoint, or refused.
 *
 * @module
 */

/** As the document has them. */
export const httpMethods = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD'] as const
export type HttpMethod = (typeof httpMethods)[number]

/** One segment: a text, decoded, in upper and lower case as written; anything; or anything from here on. */
type Segment = string | typeof one | typeof rest
const one: unique symbol = /* @__PURE__ */ Symbol('one segment')
const rest: unique symbol = /* @__PURE__ */ Symbol('the rest')

/**
 * Segments of a pattern: `{name}`, `:name` and `*` stand for one segment, `**`, `{name+}` or `{name*}` at the end for all that follow.
 *
 * @returns What should have stood there, as a text, for a pattern that cannot be read.
 */
export function readPattern(pattern: string): readonly Segment[] | string {
  if (!pattern.startsWith('/')) return 'a path that begins with /'
  if (pattern.length > maxTarget) return `at most ${maxTarget} characters`
  const texts = splitPath(pattern)
  if (texts === undefined) return 'a path without . or .. segments, query, backslash or bad escapes'
  const segments: Segment[] = []
  for (const [index, text] of texts.entries()) {
    if (text === '**' || /^\{[\w-]+[+*]\}$/.test(text)) {
      if (index !== texts.length - 1) return '** at the end only'
      segments.push(rest)
    } else if (text === '*' || /^(?:\{[\w-]+\}|:[\w-]+)$/.test(text)) segments.push(one)
    else if (/[{}*?]/.test(text) || text.startsWith(':')) return 'whole segments as {name}, * or **'
    else segments.push(text)
  }
  return segments
}

/** Endpoints in one tree, so that finding one costs the length of the path, however many there are. */
export class EndpointTree<T> {
  readonly #root: Node<T> = emptyNode()
  /** Whether a pattern has upper case, so that a target without any may be another spelling of it. */
  #hasUpperCase = false

  /** What is kept for the endpoint, made at first sight. Two patterns that only name their segments differently are one endpoint. */
  at(segments: readonly Segment[], method: HttpMethod, make: () => T): T {
    let node = this.#root
    for (const segment of segments) {
      if (segment === one) node = node.one ??= emptyNode()
      else if (segment === rest) node = node.rest ??= emptyNode()
      else {
        const text = segment.toLowerCase()
        const next = node.named.get(text) ?? emptyNode()
        node.named.set(text, next)
        next.spellings.add(segment)
        if (segment !== text) this.#hasUpperCase = true
        node = next
      }
    }
    const known = node.methods.get(method)
    if (known !== undefined) return known
    const made = make()
    node.methods.set(method, made)
    return made
  }

  /**
   * The most telling endpoint for a request: a text before any segment before the rest, from the left. HEAD is answered by what
   * answers GET (RFC 9110 §9.3.2), unless it has an endpoint of its own. Where a server that is stricter about spelling would find
   * another one that has policies, nobody can tell which of the two is meant.
   *
   * @param target - The request target as received.
   * @returns `undefined` when no endpoint is meant, `ambiguous` for a target that servers read differently.
   */
  find(target: string, method: string): T | undefined | 'ambiguous' {
    const path = target.length > maxTarget ? undefined : pathOf(target)
    const spelt = path === undefined ? undefined : splitPath(path)
    if (path === undefined || spelt === undefined) return 'ambiguous'
    const segments = spelt.map((segment) => segment.toLowerCase())
    const found = search(this.#root, segments, 0, method)
    // Some servers cut `;parameters` off a segment before they look for who answers, and some decode twice.
    if (segments.some((segment) => /[;%]/.test(segment))) {
      const cut = segments.map((segment) => segment.replace(/;.*$/, ''))
      if (search(this.#root, cut, 0, method) !== found) return 'ambiguous'
      const again = splitPath(`/${cut.join('/')}`)
      if (again !== undefined && search(this.#root, again, 0, method) !== found) return 'ambiguous'
      if (again === undefined && cut.some((segment) => separators.test(segment))) return 'ambiguous'
    }
    if (!this.#hasUpperCase && plainPath.test(path)) return found
    return this.#mayFindAnother(path, found, method) ? 'ambiguous' : found
  }

  /** Whether some server reads the path as that of another endpoint. That it finds none would be no loss: `found` is asked. */
  #mayFindAnother(path: string, found: T | undefined, method: string): boolean {
    const others = new Set<T>()
    const raw = path === '/' || path === '*' ? [] : path.slice(1).split('/')
    const named = raw.filter((segment) => segment !== '')
    const readings = [named]
    if (named.length !== raw.length) {
      readings.push(raw)
      if (raw.at(-1) === '') readings.push(raw.slice(0, -1))
    }
    // What URL makes of `//host/path`, and with it who parses a target against a base.
    if (path.startsWith('//')) readings.push(named.slice(1))
    for (const reading of readings) reach(this.#root, reading.map(spellingOf), 0, method, others)
    if (found !== undefined) others.delete(found)
    return others.size > 0
  }
}

/** One segment of a target. */
interface Spelling {
  /** Decoded, in lower case. */
  readonly text: string
  /** Decoded; `undefined` where more is escaped than must be, so that who compares octets finds something else. */
  readonly exact: string | undefined
}

function spellingOf(raw: string): Spelling {
  const plain = raw.includes('%') ? (decoded(raw) ?? raw) : raw
  const isPlain = plain === raw || encodeURIComponent(plain) === raw
  return { text: plain.toLowerCase(), exact: isPlain ? plain : undefined }
}

interface Node<T> {
  /** How patterns spell this segment. */
  readonly spellings: Set<string>
  readonly named: Map<string, Node<T>>
  one: Node<T> | undefined
  rest: Node<T> | undefined
  readonly methods: Map<string, T>
}

function emptyNode<T>(): Node<T> {
  return {
    spellings: new Set(),
    named: new Map(),
    one: undefined,
    rest: undefined,
    methods: new Map(),
  }
}

/** It is a tree, so that no node is looked at twice. */
function search<T>(
  node: Node<T>,
  segments: readonly string[],
  index: number,
  method: string,
): T | undefined {
  if (index === segments.length) {
    // `/files/**` is also about `/files`: the caller of `/files/` must not slip by.
    return ofMethod(node, method) ?? (node.rest && ofMethod(node.rest, method))
  }
  const named = node.named.get(segments[index] as string)
  const found = named && search(named, segments, index + 1, method)
  if (found !== undefined) return found
  const any = node.one && search(node.one, segments, index + 1, method)
  return any ?? (node.rest && ofMethod(node.rest, method))
}

/**
 * Adds whatever servers may find to `others`: one that another spelling does not bother takes the name, a stricter one goes on to what
 * takes any segment.
 *
 * @returns Whether one may find nothing here.
 */
function reach<T>(
  node: Node<T>,
  segments: readonly Spelling[],
  index: number,
  method: string,
  others: Set<T>,
): boolean {
  const ofRest = node.rest && ofMethod(node.rest, method)
  const segment = segments[index]
  let goesOn = true
  if (segment === undefined) {
    const own = ofMethod(node, method)
    if (own !== undefined) others.add(own)
    goesOn = own === undefined
  } else {
    const named = node.named.get(segment.text)
    if (named !== undefined) {
      const isExact = segment.exact !== undefined && named.spellings.has(segment.exact)
      goesOn = reach(named, segments, index + 1, method, others) || !isExact
    }
    if (goesOn && node.one) goesOn = reach(node.one, segments, index + 1, method, others)
  }
  if (!goesOn || ofRest === undefined) return goesOn
  others.add(ofRest)
  return false
}

function ofMethod<T>({ methods }: Node<T>, method: string): T | undefined {
  const upper = method.toUpperCase()
  return methods.get(upper) ?? (upper === 'HEAD' ? methods.get('GET') : undefined)
}

/**
 * The path of a request target: RFC 9112 §3.2 has the absolute form, with scheme and authority, and `*`. `undefined`: there is a
 * fragment, which no target has and which some servers take for a part of the path, or an authority that URL reads differently.
 */
function pathOf(target: string): string | undefined {
  const end = target.search(/[?#]/)
  if (target.charAt(end) === '#') return undefined
  const whole = end === -1 ? target : target.slice(0, end)
  if (whole.startsWith('/') || whole === '*') return whole
  const absolute = /^[a-z][a-z\d+.-]*:\/\/[^/\\\s]+(\/.*)?$/i.exec(whole)
  return absolute === null ? undefined : (absolute[1] ?? '/')
}

/**
 * Segments as the most forgiving server reads them, but for upper and lower case: escapes decoded, empty ones left out, so that
 * `//%61dmin/` is `/admin`. `undefined`: servers differ about what it means (an escaped separator, `.` or `..`, a backslash, a
 * control character, a broken escape).
 */
function splitPath(path: string): readonly string[] | undefined {
  if (path === '*') return []
  if (!path.startsWith('/') || /[\\?#]|[^\x21-\uffff]|\x7f/.test(path)) return undefined
  const segments: string[] = []
  for (const raw of path.split('/')) {
    if (raw === '') continue
    const segment = raw.includes('%') ? decoded(raw) : raw
    if (segment === undefined || /^\.{1,2}(?:;|$)/.test(segment)) return undefined
    segments.push(segment)
  }
  return segments
}

function decoded(raw: string): string | undefined {
  if (separators.test(raw)) return undefined
  try {
    return decodeURIComponent(raw)
  } catch {
    return undefined
  }
}

/** Escapes of what separates segments, and of control characters. */
const separators: RegExp = /%(?:2f|5c|[01][\da-f]|7f)/i

/** One spelling of lower-case ASCII, without empty segments, which all servers read in one way. */
const plainPath: RegExp = /^\/$|^(?:\/[^A-Z%/\x80-\uffff]+)+$/

/** Local limit: Node's whole header section is 16 KiB by default, and longer targets get 414 from most servers. */
const maxTarget = 8192
