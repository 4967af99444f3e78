/** Asks servers over TLS connections that stay open, in short rounds that take turns. @module */

import { type ChildProcess, fork } from 'node:child_process'
import { connect, type SecureContextOptions, type TLSSocket } from 'node:tls'
import { fileURLToPath } from 'node:url'
import type { Asked, Said, Served } from './middleware-server.ts'
import { host, usualLines } from './requests.ts'

export interface Credentials {
  /** PEM, the client's own certificate first. */
  readonly cert: string
  readonly key: string
}

/** Servers of one process, and connections to each. */
export class ServersUnderLoad {
  readonly #child: ChildProcess
  readonly #ports: readonly number[]
  readonly #anchors: string
  readonly #connections: TLSSocket[][] = []

  private constructor(child: ChildProcess, ports: readonly number[], anchors: string) {
    this.#child = child
    this.#ports = ports
    this.#anchors = anchors
  }

  /** The server's certificate is issued under the same anchors as the clients'. */
  static async start(served: Served, client: Credentials): Promise<ServersUnderLoad> {
    const child = fork(serverScript, { execArgv: ['--import', 'tsx'] })
    const said = await ask(child, { serve: served })
    if (!('ports' in said)) throw new Error('the server did not say where it listens')
    const servers = new ServersUnderLoad(child, said.ports, served.anchors)
    for (const index of served.kinds.keys()) {
      const open = Array.from({ length: perServer }, () => servers.#connect(index, client))
      servers.#connections.push(await Promise.all(open))
    }
    return servers
  }

  /** Answer to one request, on a connection of its own. */
  async ask(index: number, target: string, client: Partial<Credentials>): Promise<string> {
    const socket = await this.#connect(index, client)
    const whole = new Promise<string>((resolve, reject) => {
      let answer = ''
      socket.on('data', (part: Buffer) => {
        answer += part
      })
      socket.once('end', () => resolve(answer))
      socket.once('error', reject)
    })
    socket.write(requestFor(target).replace('keep-alive', 'close'))
    return await whole
  }

  /** @returns Microseconds of processor time that the server used for each of `count` requests. */
  async round(index: number, count: number): Promise<number> {
    const before = await this.#cpu()
    const sockets = this.#connections[index] as TLSSocket[]
    await Promise.all(sockets.map((socket) => askOften(socket, count / sockets.length)))
    return ((await this.#cpu()) - before) / count
  }

  stop(): void {
    for (const socket of this.#connections.flat()) socket.destroy()
    this.#child.disconnect()
  }

  async #connect(index: number, client: Partial<Credentials>): Promise<TLSSocket> {
    const port = this.#ports[index] as number
    const secure: SecureContextOptions = { ca: this.#anchors, ...client }
    return await new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', servername: host, ...secure }, () =>
        resolve(socket),
      )
      socket.setNoDelay()
      socket.once('error', reject)
    })
  }

  async #cpu(): Promise<number> {
    const said = await ask(this.#child, { ask: 'cpu' })
    if (!('cpu' in said)) throw new Error('the server did not say what it used')
    return said.cpu
  }
}

async function ask(child: ChildProcess, asked: Asked): Promise<Said> {
  return await new Promise((resolve, reject) => {
    const ended = (): void => reject(new Error('the server has ended'))
    child.once('exit', ended)
    child.once('message', (said: Said) => {
      child.off('exit', ended)
      resolve(said)
    })
    child.send(asked)
  })
}

/** One request after the other; each must be answered 200, and each answer comes in one piece. */
async function askOften(socket: TLSSocket, count: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let left = count
    const next = (answer: Buffer): void => {
      const text = answer.toString('latin1')
      if (!text.startsWith('HTTP/1.1 200 OK\r\n') || !text.endsWith('\r\n\r\nHello')) {
        reject(new Error(`answered ${text}`))
      } else if (--left > 0) {
        socket.write(request)
      } else {
        socket.off('data', next)
        resolve()
      }
    }
    socket.on('data', next)
    socket.write(request)
  })
}

function requestFor(target: string): string {
  let lines = ''
  for (let i = 0; i < usualLines.length; i += 2)
    lines += `${usualLines[i]}: ${usualLines[i + 1]}\r\n`
  return `GET ${target} HTTP/1.1\r\n${lines}\r\n`
}

const request = Buffer.from(requestFor('/'))
const perServer = 4
const serverScript = fileURLToPath(new URL('middleware-server.ts', import.meta.url))
