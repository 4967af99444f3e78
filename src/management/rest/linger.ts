/** A request that is answered before its body has arrived: RFC 9112 §9.6. @module */

/**
 * Ends an answer only when the client has had the time to read it. A server that closes with octets of the client unread resets the
 * connection, and the client may lose the answer that says why: so what it still sends is read and thrown away, for a while.
 *
 * @param body - Of the request; nobody reads it any more.
 * @param lingerMs - At most, in all.
 */
export async function lingering(
  response: Response,
  body: ReadableStream<Uint8Array>,
  lingerMs: number,
): Promise<Response> {
  const headers = new Headers(response.headers)
  if (bodiless.has(response.status)) {
    // Complete with its head, so that there is no end to hold back; nor is a reason in it that could be lost.
    headers.set('connection', 'close')
    return new Response(null, { status: response.status, headers })
  }
  const octets = new Uint8Array(await response.arrayBuffer())
  // The client knows by it that the answer is complete, though its end has not come.
  headers.set('content-length', String(octets.length))
  headers.set('connection', 'close')
  const reader = body.getReader()
  const answer = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(octets),
    async pull(controller) {
      await discard(reader, lingerMs)
      controller.close()
    },
    cancel: () => {
      reader.cancel().catch(() => {})
    },
  })
  return new Response(answer, { status: response.status, headers })
}

/** Until the body ends, is too large to wait for, or nothing comes any more. */
async function discard(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  lingerMs: number,
): Promise<void> {
  const end = performance.now() + lingerMs
  let length = 0
  while (length <= maxDiscarded) {
    const left = Math.min(idleMs, end - performance.now())
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), left)
    })
    try {
      const read = await Promise.race([reader.read(), late])
      if (read === undefined || read.done) return
      length += read.value.length
    } catch {
      // The client has gone: there is nobody to wait for.
      return
    } finally {
      clearTimeout(timer)
    }
  }
}

/** They have no body: RFC 9110 §15.3.5, §15.3.6 and §15.4.5. */
const bodiless: ReadonlySet<number> = new Set([204, 205, 304])
/** Local limits: twice what any body may have; and a pause that no live connection makes. */
const maxDiscarded = 134_217_728
const idleMs = 2000
