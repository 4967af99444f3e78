/** The first answer of a connection, right behind the handshake. */
import { once } from 'node:events'
import { connect } from 'node:tls'
import { expect, test } from 'vitest'
import { openWorld, requestPolicies, stateOf, tlsOptions, validating } from './support.ts'

test('waits for no acknowledgement of the handshake', { retry: 2 }, async () => {
  const world = await openWorld()
  const { url } = await world.upstream((_request, response) => response.end('here'))
  const snapshot = world.snapshot(url, { policies: requestPolicies(validating) })
  const { port } = await world.gateway(stateOf(snapshot))
  const waits: number[] = []
  for (let n = 0; n < 21; n++) {
    const socket = connect(tlsOptions(port, { client: world.pki.client }))
    await once(socket, 'secureConnect')
    const begin = performance.now()
    socket.write('GET / HTTP/1.1\r\nHost: api.example\r\n\r\n')
    const [first] = await once(socket, 'data')
    waits.push(performance.now() - begin)
    expect(String(first)).toMatch(/^HTTP\/1\.1 200 /)
    socket.destroy()
  }
  waits.sort((a, b) => a - b)
  // Linux delays an acknowledgement for 40 ms.
  expect(waits[10]).toBeLessThan(30)
})
