/** Turns that are taken one after the other, in the order in which they were asked for. @module */

export class Turns {
  #last: Promise<void> = Promise.resolve()

  /** @returns Ends the turn. */
  async take(): Promise<() => void> {
    const before = this.#last
    let end: () => void = () => {}
    this.#last = new Promise((resolve) => {
      end = resolve
    })
    await before
    return end
  }
}
