/** Processes under load, and clients that ask them: over connections that stay open, and over new ones. @module */

import { type ChildProcess, fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { connect, type SecureContext, type TLSSocket } from 'node:tls'
import { fileURLToPath } from 'node:url'
import type { Asked, Said } from './gateway-process.ts'
import { usualLines } from './requests.ts'

/** A process of `gateway-process.ts`. */
export class Process {
  readonly #child: ChildProcess
  readonly ports: readonly number[]
  readonly milliseconds: number

  private constructor(child: ChildProcess, ports: readonly number[], milliseconds: number) {
    this.#child = child
    this.ports = ports
    this.milliseconds = milliseconds
  }

  static async start(asked: Asked): Promise<Process> {
    const child = fork(script, { execArgv: ['--import', 'tsx'], serialization: 'advanced' })
    const said = await askOf(child, asked)
    if (!('ports' in said)) throw new Error('the process did not say where it listens')
    return new Process(child, said.ports, said.milliseconds)
  }

  /** Microseconds. */
  async cpu(): Promise<number> {
    const said = await askOf(this.#child, { ask: 'cpu' })
    if (!('cpu' in said)) throw new Error('the process did not say what it used')
    return said.cpu
  }

  stop(): void {
    this.#child.disconnect()
  }
}

async function askOf(child: ChildProcess, asked: Asked): Promise<Said> {
  return await new Promise((resolve, reject) => {
    const ended = (): void => reject(new Error('the process has ended'))
    child.once('exit', ended)
    child.once('message', (said: Said) => {
      child.off('exit', ended)
      resolve(said)
    })
    child.send(asked)
  })
}

/** Microseconds of processor time of a process that is not ours, in the steps in which the kernel counts. */
export function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

export interface Target {
  readonly port: number
  readonly host: string
}

/** Asks over connections that stay open. */
export class KeptConnections {
  readonly #sockets: readonly TLSSocket[]
  readonly #request: Buffer

  private constructor(sockets: readonly TLSSocket[], request: Buffer) {
    this.#sockets = sockets
    this.#request = request
  }

  static async open(
    target: Target,
    client: SecureContext,
    count: number,
  ): Promise<KeptConnections> {
    const sockets = await Promise.all(Array.from({ length: count }, () => opened(target, client)))
    return new KeptConnections(sockets, requestFor(target.host))
  }

  /** @returns Microseconds that `count` requests took, on all connections together. */
  async round(count: number): Promise<number> {
    const each = count / this.#sockets.length
    const begin = performance.now()
    await Promise.all(this.#sockets.map((socket) => askOften(socket, this.#request, each)))
    return (performance.now() - begin) * 1000
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
  }
}

/**
 * Opens connections, asks once over each, and closes it.
 *
 * @param clients - Used in turns, from `from` on.
 * @returns Microseconds that `count` of them took, `parallel` at a time.
 */
export async function newConnections(
  target: Target,
  clients: readonly SecureContext[],
  from: number,
  count: number,
  parallel = 4,
): Promise<number> {
  const request = requestFor(target.host)
  let next = 0
  const begin = performance.now()
  const work = async (): Promise<void> => {
    while (next < count) {
      const client = clients[(from + next++) % clients.length] as SecureContext
      const socket = await opened(target, client)
      await askOften(socket, request, 1)
      socket.destroy()
    }
  }
  await Promise.all(Array.from({ length: parallel }, work))
  return (performance.now() - begin) * 1000
}

async function opened({ port, host }: Target, secureContext: SecureContext): Promise<TLSSocket> {
  return await new Promise((resolve, reject) => {
    const socket = connect(
      { port, host: '127.0.0.1', servername: host, secureContext, rejectUnauthorized: false },
      () => resolve(socket),
    )
    socket.setNoDelay()
    socket.once('error', reject)
  })
}

/** One request after the other; each must be answered 200 with the upstream's body. */
async function askOften(socket: TLSSocket, request: Buffer, count: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let left = count
    let text = ''
    const next = (answer: Buffer): void => {
      text += answer.toString('latin1')
      // Head and body may come in two pieces.
      if (!text.endsWith('\r\n\r\nHello')) {
        if (text.length > 4096 || !text.startsWith('HTTP/1.1 200 ')) reject(new Error(text))
        return
      }
      text = ''
      if (--left > 0) {
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

function requestFor(host: string): Buffer {
  let lines = `Host: ${host}\r\n`
  for (let i = 2; i < usualLines.length; i += 2) {
    lines += `${usualLines[i]}: ${usualLines[i + 1]}\r\n`
  }
  return Buffer.from(`GET / HTTP/1.1\r\n${lines}\r\n`)
}

const script = fileURLToPath(new URL('gateway-process.ts', import.meta.url))
