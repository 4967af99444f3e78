/**
 * What @peculiar/x509 asks of the `reflect-metadata` package on import: its container stores nothing there that these benchmarks
 * use, so a map of what was defined will do. Import it first.
 * @module
 */

const kept = new WeakMap<object, Map<unknown, unknown>>()

function getOwnMetadata(key: unknown, target: object): unknown {
  return kept.get(target)?.get(key)
}

function defineMetadata(key: unknown, value: unknown, target: object): void {
  let values = kept.get(target)
  if (values === undefined) {
    values = new Map()
    kept.set(target, values)
  }
  values.set(key, value)
}

if (!('getMetadata' in Reflect)) {
  Object.assign(Reflect, { getMetadata: getOwnMetadata, getOwnMetadata, defineMetadata })
}
