/**
 * Somebody between manager and gateway who changes, replays, forges and cuts off what passes: the gateway keeps what it had, and says so in
 * its metrics.
 */
import { generateKeyPairSync, sign } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { canonicalJson } from '../../../src/deployment/canonical.ts'
import type { ApiProxyClient } from '../../../src/management/client.ts'
import { type Attack, type Between, standBetween } from './between.ts'
import {
  Fleet,
  type GatewayProgram,
  type Manager,
  metricsOf,
  policy,
  policyName,
  until,
} from './support.ts'

interface SignedJson {
  document: Record<string, unknown>
  signature?: string
}

interface StateJson {
  environment: string
  pointers: SignedJson[]
  live: SignedJson | null
}

describe('a gateway behind somebody in the middle', () => {
  let fleet: Fleet
  let manager: Manager
  let proxy: ApiProxyClient
  let gateway: GatewayProgram
  let between: Between
  let attack: Attack<StateJson> = {}
  /** States that the manager sent, the newest last. */
  const sent: StateJson[] = []
  let isPartnerIn = false

  beforeAll(async () => {
    fleet = await Fleet.open()
    manager = await fleet.manager()
    proxy = await fleet.makeProject(manager, await fleet.upstream())
    between = await standBetween<StateJson>(fleet, manager, () => ({
      ...attack,
      state: (state) => {
        const passed = attack.state?.(state)
        sent.push(state)
        return passed
      },
    }))
    gateway = await fleet.gateway(manager, 'gateway-1', `http://127.0.0.1:${between.port}`)
    await until(
      async () => (await fleet.ask(gateway, 'client-a')) === 200,
      () => gateway.log(),
    )
  }, 60_000)
  afterAll(() => fleet?.close(), 60_000)

  const forger = generateKeyPairSync('ed25519').privateKey
  const attacks: readonly (readonly [
    what: string,
    code: string,
    attack: () => Attack<StateJson>,
  ])[] = [
    [
      'flips an octet of a snapshot',
      'snapshot-hash-mismatch',
      () => ({
        snapshot: (octets) => {
          const changed = Buffer.from(octets)
          const at = Math.floor(changed.length / 2)
          changed[at] = (changed[at] as number) ^ 1
          return changed
        },
      }),
    ],
    [
      'lets a snapshot end early',
      'snapshot-hash-mismatch',
      () => ({ snapshot: (octets) => octets.subarray(0, octets.length - 100) }),
    ],
    [
      'switches validation off in a snapshot',
      'snapshot-hash-mismatch',
      () => ({
        snapshot: (octets) =>
          Buffer.from(octets.toString().replaceAll('"active":true', '"active":false')),
      }),
    ],
    [
      'drops signatures',
      'document-malformed',
      () => ({ state: forEachPointer(({ document }) => ({ document })) }),
    ],
    [
      'empties signatures',
      'signature-invalid',
      () => {
        const signature = Buffer.alloc(64).toString('base64')
        return { state: forEachPointer(({ document }) => ({ document, signature })) }
      },
    ],
    [
      'signs with a key of its own',
      'signature-invalid',
      () => ({
        state: forEachPointer(({ document }) => {
          const text = `mtls-policy/${document.kind}\n${canonicalJson(document)}`
          const signature = sign(null, Buffer.from(text), forger).toString('base64')
          return { document, signature }
        }),
      }),
    ],
    [
      'names an older snapshot in a new pointer',
      'signature-invalid',
      () => {
        const old = sent.at(-1)?.pointers[0]?.document.hash
        return {
          state: forEachPointer(({ document, signature = '' }) => ({
            document: { ...document, hash: old },
            signature,
          })),
        }
      },
    ],
    [
      'undeploys',
      'signature-invalid',
      () => ({
        state: forEachPointer(({ document, signature = '' }) => ({
          document: { ...document, hash: null },
          signature,
        })),
      }),
    ],
    [
      'replays the first state',
      'sequence-replayed',
      () => ({ state: () => sent.find(({ pointers }) => pointers.length > 0) }),
    ],
    [
      'sends the state of another environment',
      'environment-mismatch',
      () => ({ state: (state) => ({ ...state, environment: 'staging' }) }),
    ],
    ['sends no state', 'document-malformed', () => ({ state: () => ({ pointers: 'none' }) })],
  ]

  test.each(attacks)('who %s gets %s', { timeout: 60_000 }, async (_, code, chosen) => {
    // An older state that differs from what is in force.
    await change()
    await until(
      async () => (await fleet.ask(gateway, 'partner')) === verdict(),
      () => gateway.log(),
    )
    const before = await alarms(code)
    attack = chosen()
    isPartnerIn = !isPartnerIn
    const update = proxy.policies.update(policyName, policy({ validateACLForIssuer: !isPartnerIn }))
    await until(
      async () => (await alarms(code)) > before,
      () => `no alarm ${code}\n${gateway.log()}`,
    )
    // Whatever comes meanwhile, nobody says that it was a success.
    const isSuccess = await Promise.race([update.then(({ success }) => success), sleep(300)])
    expect(isSuccess).not.toBe(true)
    expect(await fleet.ask(gateway, 'partner')).toBe(isPartnerIn ? 401 : 200)
    expect(await fleet.ask(gateway, 'client-a')).toBe(200)
    expect(await fleet.ask(gateway, 'expired')).toBe(401)
    // When it is gone the change comes through.
    attack = {}
    between.cut()
    await until(
      async () => (await fleet.ask(gateway, 'partner')) === verdict(),
      () => `still not in force\n${gateway.log()}`,
      5000,
    )
    await update
  })

  test('nothing that it read is in its log', () => {
    expect(gateway.log()).not.toMatch(/mtlsp_|BEGIN CERTIFICATE/)
  })

  async function change(): Promise<void> {
    isPartnerIn = !isPartnerIn
    await proxy.policies.update(policyName, policy({ validateACLForIssuer: !isPartnerIn }))
  }

  function verdict(): number {
    return isPartnerIn ? 200 : 401
  }

  async function alarms(code: string): Promise<number> {
    const name = `mtls_policy_gateway_alarms_total{code="${code}"}`
    return (await metricsOf(gateway)).get(name) ?? 0
  }
})

function forEachPointer(
  change: (signed: SignedJson) => SignedJson,
): (state: StateJson) => StateJson {
  return (state) => ({ ...state, pointers: state.pointers.map(change) })
}
