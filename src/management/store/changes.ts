/** Who wants to hear that the state of an environment changed. @module */

export type ChangeListener = (environment: string) => void

export class Changes {
  readonly #listeners = new Set<ChangeListener>()

  /** @returns Ends it. */
  add(listener: ChangeListener): () => void {
    // A function may be given twice and is then called twice.
    const own: ChangeListener = (environment) => listener(environment)
    this.#listeners.add(own)
    return () => {
      this.#listeners.delete(own)
    }
  }

  /** Listeners run later, each for itself: one that throws takes nothing from the others or from the writer. */
  emit(environment: string): void {
    for (const listener of this.#listeners) {
      queueMicrotask(() => {
        if (this.#listeners.has(listener)) listener(environment)
      })
    }
  }

  clear(): void {
    this.#listeners.clear()
  }
}
