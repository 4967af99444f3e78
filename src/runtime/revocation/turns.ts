/** Long work in short turns of the event loop, and a bound on how much is done at once. @module */

/** Settles after whatever input is waiting has been served. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

/** Measures one turn; work calls `pause` as often as it can. */
export class Turn {
  #end = performance.now() + turnMilliseconds

  /** Ends the turn when it has lasted long enough. */
  async pause(): Promise<void> {
    if (performance.now() < this.#end) return
    await nextTurn()
    this.#end = performance.now() + turnMilliseconds
  }
}

/** Runs steps that yield about once a millisecond. */
export async function inTurns<T>(steps: Generator<undefined, T>): Promise<T> {
  const turn = new Turn()
  let step = steps.next()
  while (!step.done) {
    await turn.pause()
    step = steps.next()
  }
  return step.value
}

/** Calls `use` with each MiB of `bytes`, in turns: hashing one takes about a millisecond. */
export async function eachSlice(
  bytes: Uint8Array,
  use: (slice: Uint8Array) => Promise<void> | void,
): Promise<void> {
  const turn = new Turn()
  for (let start = 0; start < bytes.length; start += sliceOctets) {
    await use(bytes.subarray(start, start + sliceOctets))
    await turn.pause()
  }
}

/**
 * Lets so many tasks run at once; the others wait in their order. Turns of two tasks follow each other without a pause, so that what
 * computes passes a gate for one.
 */
export class Gate {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(places: number) {
    this.#free = places
  }

  async pass<T>(task: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve)
      })
    }
    try {
      return await task()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free++
      else next()
    }
  }
}

/** The event loop may be busy for 20 ms: the last step of a turn and a collection of garbage come on top of it. */
const turnMilliseconds = 2
const sliceOctets = 1 << 20
