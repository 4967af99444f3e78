/** Reading server-sent events, strictly: only what our manager sends. @module */

export interface StateEvent {
  /** JSON. */
  readonly data: string
  /** ETag of the same state, without its quotes. */
  readonly id: string
}

/** What is no event of ours. */
export class EventsMalformed extends Error {
  readonly code = 'events-malformed'
}

/**
 * The events of a stream. Comments keep it alive and are nothing else.
 *
 * @param maximum - Octets of one event.
 * @throws EventsMalformed for an unknown field, another event, two of one field, text that is no UTF-8, or too much of it.
 */
export async function* readEvents(
  chunks: AsyncIterable<Uint8Array>,
  maximum: number,
): AsyncGenerator<StateEvent> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const pieces: string[] = []
  let length = 0
  let fields = new Map<string, string>()
  for await (const chunk of chunks) {
    length += chunk.length
    if (length > maximum) throw new EventsMalformed('an event that is too large')
    const parts = decoded(decoder, chunk).split('\n')
    for (const [index, part] of parts.entries()) {
      pieces.push(part)
      if (index === parts.length - 1) break
      const line = pieces.join('')
      pieces.length = 0
      if (line === '') {
        length = 0
        if (fields.size > 0) yield eventOf(fields)
        fields = new Map()
      } else if (!line.startsWith(':')) {
        const [, name, value] = /^(event|id|data): (.*)$/s.exec(line) ?? []
        if (name === undefined || value === undefined || fields.has(name)) {
          throw new EventsMalformed('a line that is no field of a state')
        }
        fields.set(name, value)
      }
    }
  }
}

function eventOf(fields: ReadonlyMap<string, string>): StateEvent {
  const data = fields.get('data')
  const id = fields.get('id')
  if (fields.get('event') !== 'state' || data === undefined || id === undefined) {
    throw new EventsMalformed('an event that is no state')
  }
  return { data, id }
}

function decoded(decoder: TextDecoder, chunk: Uint8Array): string {
  try {
    return decoder.decode(chunk, { stream: true })
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw new EventsMalformed('text that is no UTF-8')
  }
}
