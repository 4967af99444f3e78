/** Server certificates of a listener: read from files, chosen by host, read again when the files change. @module */

import { X509Certificate } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import type { CertificateFiles } from './options.ts'

/** One certificate with its key; another object after each reload. */
export interface ServerCertificate {
  /** Position among those of the listener: the same after a reload. */
  readonly index: number
  readonly cert: Buffer
  readonly key: Buffer
  /** Unix seconds. */
  readonly notAfter: number
}

export interface ReloadEvents {
  readonly reloaded: (files: CertificateFiles) => void
  readonly failed: (files: CertificateFiles, error: unknown) => void
}

export class ServerCertificates {
  readonly #files: readonly CertificateFiles[]
  readonly #events: ReloadEvents
  readonly #byHost = new Map<string, number>()
  #current: readonly ServerCertificate[]
  /** What the files were like when they were read last. */
  readonly #identities: string[]
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  private constructor(
    files: readonly CertificateFiles[],
    read: readonly Read[],
    events: ReloadEvents,
  ) {
    this.#files = files
    this.#events = events
    this.#current = read.map(({ certificate }) => certificate)
    this.#identities = read.map(({ identity }) => identity)
    for (const [index, { hosts }] of files.entries()) {
      for (const host of hosts) this.#byHost.set(host, index)
    }
  }

  /** @throws What reading the files, or putting certificate and key together, throws. */
  static async read(
    files: readonly CertificateFiles[],
    events: ReloadEvents,
  ): Promise<ServerCertificates> {
    const read = await Promise.all(files.map((one, index) => readPair(one, index)))
    return new ServerCertificates(files, read, events)
  }

  get all(): readonly ServerCertificate[] {
    return this.#current
  }

  /** @param host - In lower case; `undefined`: the client named none. */
  choose(host: string | undefined): ServerCertificate {
    return this.#current[host === undefined ? 0 : this.#indexOf(host)] as ServerCertificate
  }

  #indexOf(host: string): number {
    const exact = this.#byHost.get(host)
    if (exact !== undefined) return exact
    const dot = host.indexOf('.')
    return (dot === -1 ? undefined : this.#byHost.get(`*${host.slice(dot)}`)) ?? 0
  }

  /** Looks at the files every `milliseconds`: what network file systems and mounted secrets change, no watcher tells. */
  follow(milliseconds: number, changed: () => void): void {
    const look = async (): Promise<void> => {
      if (await this.look()) changed()
      if (this.#isClosed) return
      this.#timer = setTimeout(look, milliseconds)
      this.#timer.unref()
    }
    this.#timer = setTimeout(look, milliseconds)
    this.#timer.unref()
  }

  /** @returns Whether any other certificate is in force than before. A pair that does not fit together stays out until it does. */
  async look(): Promise<boolean> {
    const current = [...this.#current]
    let isOther = false
    for (const [index, files] of this.#files.entries()) {
      try {
        if ((await identityOf(files)) === this.#identities[index]) continue
        const read = await readPair(files, index)
        current[index] = read.certificate
        this.#identities[index] = read.identity
        isOther = true
        this.#failing.delete(index)
        this.#events.reloaded(files)
      } catch (error) {
        // Told once; looked at again each time, for it may be half of an exchange.
        if (!this.#failing.has(index)) this.#events.failed(files, error)
        this.#failing.add(index)
      }
    }
    if (isOther) this.#current = current
    return isOther
  }

  readonly #failing = new Set<number>()

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
  }
}

interface Read {
  readonly certificate: ServerCertificate
  readonly identity: string
}

async function readPair(files: CertificateFiles, index: number): Promise<Read> {
  // Before reading: what changes meanwhile is read again.
  const identity = await identityOf(files)
  const [cert, key] = await Promise.all([readFile(files.cert), readFile(files.key)])
  // Throws when they do not fit together.
  createSecureContext({ cert, key })
  const notAfter = Math.floor(Date.parse(new X509Certificate(cert).validTo) / 1000)
  return { certificate: { index, cert, key, notAfter }, identity }
}

async function identityOf({ cert, key }: CertificateFiles): Promise<string> {
  const found = await Promise.all([stat(cert), stat(key)])
  return found.map(({ ino, size, mtimeMs }) => `${ino} ${size} ${mtimeMs}`).join()
}
