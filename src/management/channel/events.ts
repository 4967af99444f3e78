/** Server-sent events of one environment: the state at once, after every change, and a ping in between. @module */

/** What a stream sends. */
export interface SentState {
  /** Grows with each change. */
  readonly sequence: number
  /** Of the body. */
  readonly id: string
  /** JSON on one line. */
  readonly body: string
}

export interface EventStream {
  readonly body: ReadableStream<Uint8Array>
  /** Sends this state, unless it is no newer than the last one. What the reader is too slow for is replaced by the next. */
  readonly send: (state: SentState) => void
  readonly close: () => void
}

/**
 * A stream of events. It holds one state at most: who reads slowly gets the newest, not all.
 *
 * @param onEnd - Called once, when the reader has gone or the stream was closed.
 */
export function openEvents(pingMs: number, onEnd: () => void): EventStream {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined
  let waiting: SentState | undefined
  let last = -1
  let isEnded = false
  const end = (): void => {
    if (isEnded) return
    isEnded = true
    clearInterval(timer)
    onEnd()
  }
  const hasRoom = (): boolean => !isEnded && (controller?.desiredSize ?? 0) > 0
  const flush = (): void => {
    if (waiting === undefined || !hasRoom()) return
    const { id, body } = waiting
    waiting = undefined
    controller?.enqueue(encoder.encode(`event: state\nid: ${id}\ndata: ${body}\n\n`))
  }
  const timer = setInterval(() => {
    if (hasRoom()) controller?.enqueue(encoder.encode(': ping\n\n'))
  }, pingMs)
  timer.unref()
  return {
    body: new ReadableStream<Uint8Array>(
      {
        start: (own) => {
          controller = own
        },
        pull: flush,
        cancel: end,
      },
      { highWaterMark: 1 },
    ),
    send: (state) => {
      // Two readings of the store may end in another order than they began.
      if (isEnded || state.sequence <= last) return
      last = state.sequence
      waiting = state
      flush()
    },
    close: () => {
      if (isEnded) return
      end()
      controller?.close()
    },
  }
}

const encoder = new TextEncoder()
