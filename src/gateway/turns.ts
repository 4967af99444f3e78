/**
 * Requests of one connection of HTTP/1: one after the other, as they came, though a client sends several before it has an answer
 * (pipelining, RFC 9112 §9.3.2). Node hands out all of them at once. Of a request that waits nothing has been done: when the connection
 * ends before its turn comes, it is as one that was never read.
 *
 * @module
 */

import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { GatewayCode } from './answer.ts'

/** Whose body may turn out to be unreadable. */
export interface Reading {
  misread(code: GatewayCode): void
}

/** @returns `undefined`: what takes the turn reads no body. */
export type Begin = () => Reading | undefined

export class Turns {
  readonly #socket: Socket
  #isBusy = false
  #current: Reading | undefined
  /** The last one that came, until it was answered and read. */
  #newest: IncomingMessage | undefined
  readonly #waiting: Begin[] = []
  /** Nothing more is to be read for now. */
  #isHeld = false
  /** What comes after is not HTTP, and whoever takes its turn reads it. */
  #isTunnel = false
  /** What still comes counts for nothing. */
  #isOver = false
  /** Requests that came nevertheless: Node keeps them to the end of the connection. */
  #forgotten = 0
  #isEnding = false
  #isDraining = false
  #hasBegun = false

  constructor(socket: Socket) {
    this.#socket = socket
  }

  /** @param begin - Now, or when its turn has come. `next` tells that it has ended. */
  take(request: IncomingMessage, begin: Begin): void {
    if (this.#isOver) {
      this.#forgotten++
      if (this.#forgotten > mostWaiting) this.#socket.destroy()
      return
    }
    this.#newest = request
    if (this.#isBusy) this.#wait(begin)
    else this.#run(begin)
  }

  /** As `take`, of a request with which the connection leaves the server: from here on Node reads nothing of it. */
  takeSocket(request: IncomingMessage, begin: Begin): void {
    this.#isTunnel = true
    this.#isHeld = false
    this.take(request, begin)
  }

  /**
   * The request whose turn it was has been answered, or its answer was given up.
   *
   * @param isLast - RFC 9112 §9.6: nothing is taken behind an answer that was the last.
   */
  next(isLast: boolean): void {
    this.#isBusy = false
    this.#current = undefined
    if (this.#newest?.complete) this.#newest = undefined
    if (isLast || !this.#socket.writable) {
      this.#isOver = true
      this.#isHeld = false
      this.#waiting.length = 0
      return
    }
    const begin = this.#waiting.shift()
    if (this.#isHeld && this.#waiting.length === 0) {
      this.#isHeld = false
      this.#socket.resume()
    }
    if (begin !== undefined) this.#run(begin)
    else if (this.#isDraining) this.#end()
  }

  /**
   * What comes cannot be read, and so nothing after it. That is told to the request whose body it belongs to, if nobody has answered it;
   * what begins no request that can be read has a turn of its own.
   */
  misread(code: GatewayCode, refuse: () => void): void {
    if (this.#isOver) {
      if (!this.#isBusy) this.#end()
      return
    }
    this.#isOver = true
    if (this.#newest?.complete !== false) this.#refuse(refuse)
    else if (!this.#isBusy) this.#end()
    else if (this.#waiting.length === 0) this.#misreadCurrent(code)
    else {
      this.#waiting.pop()
      this.#refuse(refuse)
    }
  }

  /** Lets go on what is under way, and no more. */
  drain(): void {
    this.#isDraining = true
    if (this.#isBusy) return
    if (this.#hasBegun) {
      this.#end()
      return
    }
    // Its first request is on the way.
    const timer = setTimeout(() => {
      if (!this.#hasBegun) this.#end()
    }, graceMs)
    timer.unref()
    this.#socket.once('close', () => clearTimeout(timer))
  }

  #run(begin: Begin): void {
    this.#isBusy = true
    this.#hasBegun = true
    this.#current = begin()
  }

  #wait(begin: Begin): void {
    this.#waiting.push(begin)
    if (this.#waiting.length > mostWaiting) {
      this.#isOver = true
      this.#isHeld = false
      this.#waiting.length = 0
      this.#socket.destroy()
      return
    }
    if (this.#isTunnel || this.#waiting.length < maxWaiting) return
    this.#isHeld = true
    // At the end of every request Node resumes the socket, so it is paused after that, and again for each that comes nevertheless.
    queueMicrotask(() => {
      if (this.#isHeld) this.#socket.pause()
    })
  }

  #misreadCurrent(code: GatewayCode): void {
    if (this.#current === undefined) this.#socket.destroy()
    else this.#current.misread(code)
  }

  #refuse(refuse: () => void): void {
    const begin = (): undefined => {
      refuse()
    }
    if (this.#isBusy) this.#waiting.push(begin)
    else this.#run(begin)
  }

  #end(): void {
    if (this.#isEnding) return
    this.#isOver = true
    this.#isHeld = false
    this.#isEnding = true
    endSoon(this.#socket)
  }
}

/** What was written goes out before; the client has a while to close its end, and what it says meanwhile is read and forgotten. */
function endSoon(socket: Socket): void {
  socket.end()
  socket.resume()
  const timer = setTimeout(() => socket.destroy(), lingerMs)
  timer.unref()
  socket.once('close', () => clearTimeout(timer))
}

/** Local limit, from which on nothing more is read. What had been read by then is taken all the same. */
const maxWaiting = 32

/** Local limit of those that wait, and of those that are forgotten: beyond it the connection is destroyed. It needs no pause to hold. */
const mostWaiting = 1000

/** Milliseconds in which who has just connected may send a request to a gateway that ends. */
export const graceMs = 1000

const lingerMs = 1000
