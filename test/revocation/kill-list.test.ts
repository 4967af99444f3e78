import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { KillList } from '../../src/index.ts'
import { createKillList, type KillListEntry } from '../../src/revocation.ts'
import { createPki, issueCa } from '../../src/testing/index.ts'
import { misuseOf } from '../client/support.ts'

const pki = await createPki()
const { client, issuing } = pki
const digest = 'ab'.repeat(32)
const one: KillListEntry = { issuer: 'CN=Issuing', serialNumber: '0a' }
const two: KillListEntry = { spkiSha256: digest, note: 'left in May' }

const entriesOf = (list: KillList) => list.entries().map(({ entry }) => entry)

describe('a kill list is live', () => {
  test('it begins with its entries, and with none', () => {
    expect(entriesOf(createKillList())).toEqual([])
    expect(entriesOf(createKillList([one, two]))).toEqual([one, two])
  })
  test('each change raises the epoch, and what changes nothing does not', () => {
    const list = createKillList([one])
    const epochs = [list.epoch]
    const id = list.add(two)
    epochs.push(list.epoch)
    list.add([one, one])
    epochs.push(list.epoch)
    expect(list.remove(id)).toBe(true)
    epochs.push(list.epoch)
    list.replace([])
    epochs.push(list.epoch)
    expect(epochs).toEqual([0, 1, 2, 3, 4])
    expect(list.add([])).toEqual([])
    expect(list.remove(id)).toBe(false)
    expect(list.epoch).toBe(4)
  })
  test('ids are never used again', () => {
    const list = createKillList([one])
    const [first] = list.entries()
    const second = list.add(one)
    const others = list.replace([one, two])
    expect(new Set([first?.id, second, ...others]).size).toBe(4)
    expect(list.entries().map(({ id }) => id)).toEqual(others)
    expect(list.remove(second)).toBe(false)
  })
  test('an entry that cannot be read leaves the list as it was', () => {
    const list = createKillList([one])
    const bad = { issuer: 'no name' }
    expect(misuseOf(() => list.add([two, bad]))).toMatchObject({ index: 1, field: 'issuer' })
    expect(misuseOf(() => list.replace([two, bad]))).toMatchObject({ index: 1 })
    expect(misuseOf(() => list.add(bad))).toMatchObject({ index: 0 })
    expect(entriesOf(list)).toEqual([one])
    expect(list.epoch).toBe(0)
  })
  test('what the caller changes afterwards changes nothing', () => {
    const expires = new Date(1000)
    const der = Uint8Array.from(client.der)
    const list = createKillList([{ spkiSha256: digest, expires }, { certificate: der }])
    expires.setTime(0)
    der.fill(0)
    expect(entriesOf(list)).toEqual([
      { spkiSha256: digest, expires: new Date(1000) },
      { certificate: client.der },
    ])
    expect(entriesOf(list).every(Object.isFrozen)).toBe(true)
  })
})

describe('listeners', () => {
  test('are called after each change, once, until they are ended', () => {
    const list = createKillList()
    const seen: number[] = []
    const listener = () => seen.push(list.epoch)
    const end = list.onChange(listener)
    const endAgain = list.onChange(listener)
    list.add(one)
    end()
    end()
    list.add(two)
    endAgain()
    list.replace([])
    expect(seen).toEqual([1, 1, 2])
  })
  test('may end others, and begin more, while they are called', () => {
    const list = createKillList()
    const seen: string[] = []
    list.onChange(() => {
      seen.push('first')
      end()
      list.onChange(() => seen.push('third'))
    })
    const end = list.onChange(() => seen.push('second'))
    list.add(one)
    expect(seen).toEqual(['first'])
  })
  test('that throw stop neither the change nor the others, and are heard of', async () => {
    const list = createKillList()
    const others = process.listeners('unhandledRejection')
    process.removeAllListeners('unhandledRejection')
    try {
      const heard = new Promise((resolve) => process.once('unhandledRejection', resolve))
      let called = 0
      const error = new Error('a socket is gone')
      list.onChange(() => {
        throw error
      })
      list.onChange(() => {
        called++
      })
      expect(list.add(one)).toBe(1)
      expect(called).toBe(1)
      expect(entriesOf(list)).toEqual([one])
      expect(await heard).toBe(error)
    } finally {
      for (const listener of others) process.on('unhandledRejection', listener)
    }
  })
})

describe('what is no entry', () => {
  test.each<[string, unknown, string]>([
    ['undefined', undefined, ''],
    ['null', null, ''],
    ['a text', 'CN=x', ''],
    ['no field', {}, ''],
    ['a serial number without issuer', { serialNumber: '1' }, ''],
    ['two entries in one', { issuer: 'CN=x', spkiSha256: digest }, ''],
    ['an unknown field', { issuer: 'CN=x', serial: '1' }, ''],
    ['a serial number that got lost', { issuer: 'CN=x', serialNumber: undefined }, 'serialNumber'],
    ['a serial number that lost digits', { issuer: 'CN=x', serialNumber: 1 }, 'serialNumber'],
    ['an empty serial number', { issuer: 'CN=x', serialNumber: '' }, 'serialNumber'],
    ['no hexadecimal', { issuer: 'CN=x', serialNumber: '12g' }, 'serialNumber'],
    ['a giant serial number', { issuer: 'CN=x', serialNumber: '1'.repeat(4097) }, 'serialNumber'],
    ['no name', { issuer: 'x' }, 'issuer'],
    ['the empty name', { issuer: '' }, 'issuer'],
    ['the empty name beside a serial', { issuer: ' ', serialNumber: '1' }, 'issuer'],
    ['a name that is no text', { issuer: 5 }, 'issuer'],
    ['a short digest', { spkiSha256: digest.slice(2) }, 'spkiSha256'],
    ['a long digest', { issuerSpkiSha256: `${digest}ab` }, 'issuerSpkiSha256'],
    ['a digest of giants', { spkiSha256: ' '.repeat(200) + digest }, 'spkiSha256'],
    ['SHA-1', { certificateSha256: 'ab'.repeat(20) }, 'certificateSha256'],
    ['base64 of 31 octets', { spkiSha256: Buffer.alloc(31).toString('base64') }, 'spkiSha256'],
    ['a digest that is no text', { spkiSha256: new Uint8Array(32) }, 'spkiSha256'],
    ['no certificate', { certificate: 'CN=x' }, 'certificate'],
    ['an empty certificate', { certificate: new Uint8Array(0) }, 'certificate'],
    ['a certificate cut short', { certificate: client.der.subarray(0, 90) }, 'certificate'],
    ['two certificates', { certificate: pki.chainPem }, 'certificate'],
    ['a damaged rest', { certificate: `${client.pem}${client.pem.slice(0, 90)}` }, 'certificate'],
    ['a key', { certificate: pki.clientKeyPem }, 'certificate'],
    ['a certificate that is a number', { certificate: 5 }, 'certificate'],
    ['a note that is no text', { issuer: 'CN=x', note: 5 }, 'note'],
    ['a time that is no Date', { issuer: 'CN=x', expires: 1_000 }, 'expires'],
    ['an invalid Date', { issuer: 'CN=x', expires: new Date(Number.NaN) }, 'expires'],
  ])('%s', (_, entry, field) => {
    const call = () => createKillList([one, entry as KillListEntry])
    expect(misuseOf(call)).toMatchObject({ code: 'kill-list-invalid', index: 1, field })
  })
  test('what is no list', () => {
    expect(misuseOf(() => createKillList(one as never))).toMatchObject({ index: 0 })
    expect(misuseOf(() => createKillList().replace('x' as never))).toMatchObject({ index: 0 })
  })
  test('a hole in a list', () => {
    const holes = new Array<KillListEntry>(1)
    expect(misuseOf(() => createKillList(holes))).toMatchObject({ index: 0 })
  })
  test('anything else throws the same, and nothing but it', () => {
    fc.assert(
      fc.property(
        fc.record(
          {
            issuer: fc.anything(),
            serialNumber: fc.anything(),
            spkiSha256: fc.anything(),
            certificate: fc.anything(),
            note: fc.anything(),
            expires: fc.anything(),
          },
          { requiredKeys: [] },
        ),
        (entry) => {
          const misuse = misuseOf(() => createKillList([entry as KillListEntry]))
          if (misuse !== undefined) expect(misuse).toMatchObject({ code: 'kill-list-invalid' })
        },
      ),
    )
  })
})

describe('a half entry does not compile', () => {
  test('and neither do two in one', async () => {
    const entries: KillListEntry[] = [
      { issuer: 'CN=x' },
      { issuer: 'CN=x', serialNumber: 1n, note: 'n', expires: new Date(0) },
      { certificate: (await issueCa('x')).der },
      { certificate: issuing },
    ]
    // @ts-expect-error a serial number alone names nothing
    entries.push({ serialNumber: '1' })
    // @ts-expect-error a note names nobody
    entries.push({ note: 'x' })
    // @ts-expect-error two in one
    entries.push({ spkiSha256: digest, certificateSha256: digest })
    // @ts-expect-error two in one
    entries.push({ issuer: 'CN=x', issuerSpkiSha256: digest })
    expect(entries.length).toBe(8)
  })
})
