/**
 * Attaches a decision to a request: `request.clientCertificate`.
 *
 * Under Express it is an accessor of the prototype that Express documents as the place for additions (`express.request`), made at the
 * first request, because to add a property to each costs more than the decision: see `property.ts`. Elsewhere it is a property.
 *
 * @module
 */

import { IncomingMessage } from 'node:http'
import type { Decision } from '../decision.ts'

/** @param request - Later handlers find `decision` at its `clientCertificate`. */
export function attach(
  request: IncomingMessage & { clientCertificate?: Decision },
  decision: Decision,
): void {
  const prototype: object = Object.getPrototypeOf(request)
  // What somebody has assigned to the request itself would hide the accessor.
  if ((withAccessor.has(prototype) || addAccessor(prototype)) && !Object.hasOwn(request, name)) {
    decisions.set(request, decision)
  } else {
    request.clientCertificate = decision
  }
}

/** @returns Whether `clientCertificate` of what has this prototype is looked up in `decisions`. */
function addAccessor(prototype: object): boolean {
  if (prototype === IncomingMessage.prototype || !(prototype instanceof IncomingMessage)) {
    return false
  }
  // Each application and each mounted one has a prototype of its own, and one above them all is Express's.
  let highest = prototype
  for (let next = prototype; next !== IncomingMessage.prototype; ) {
    highest = next
    next = Object.getPrototypeOf(next)
  }
  const found = findAccessor(prototype)
  if (found === undefined) {
    if (!Object.isExtensible(highest)) return false
    Object.defineProperty(highest, name, accessor)
  } else if (found.get !== accessor.get) {
    return false
  }
  withAccessor.add(prototype)
  return true
}

function findAccessor(prototype: object): PropertyDescriptor | undefined {
  for (let next: object | null = prototype; next !== null; next = Object.getPrototypeOf(next)) {
    const descriptor = Object.getOwnPropertyDescriptor(next, name)
    if (descriptor !== undefined) return descriptor
  }
  return undefined
}

const name = 'clientCertificate'

const decisions = new WeakMap<object, Decision>()

const withAccessor = new WeakSet<object>()

const accessor = {
  get(this: object): Decision | undefined {
    return decisions.get(this)
  },
  /** Whoever assigns has a property then, as without the accessor. */
  set(this: object, value: unknown): void {
    Object.defineProperty(this, name, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    })
  },
  configurable: true,
} satisfies PropertyDescriptor & ThisType<object>
