/** Frames of a WebSocket as they flow by, RFC 6455 §5.2: however they are cut, it is known where one ends. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { closeFrame, FrameBoundaries } from '../../src/gateway/websocket-frames.ts'

interface Frame {
  readonly opcode: number
  readonly length: number
  readonly isMasked: boolean
}

/** The shortest form of the length, or a longer one: nobody refuses it here. */
function octetsOf({ opcode, length, isMasked }: Frame, form: 7 | 16 | 64 = formOf(length)): Buffer {
  const mask = isMasked ? 0x80 : 0
  const extended = Buffer.alloc(form === 7 ? 0 : form / 8)
  if (form === 16) extended.writeUInt16BE(length)
  if (form === 64) extended.writeBigUInt64BE(BigInt(length))
  const short = form === 7 ? length : form === 16 ? 126 : 127
  return Buffer.concat([
    Buffer.of(0x80 | opcode, mask | short),
    extended,
    Buffer.alloc(isMasked ? 4 : 0, 0xff),
    // Whoever takes it for a header reads one that closes.
    Buffer.alloc(length, 0x88),
  ])
}

function formOf(length: number): 7 | 16 | 64 {
  return length < 126 ? 7 : length < 65_536 ? 16 : 64
}

const frame = fc.record({
  opcode: fc.constantFrom(0, 1, 2, 9, 10),
  length: fc.oneof(fc.integer({ min: 0, max: 130 }), fc.constantFrom(65_535, 65_536, 70_000)),
  isMasked: fc.boolean(),
})

describe('boundaries of frames', () => {
  test('are where frames end, whatever pieces come', () => {
    fc.assert(
      fc.property(
        fc.array(frame, { minLength: 1, maxLength: 8 }),
        fc.array(fc.nat({ max: 140_000 }), { maxLength: 20 }),
        (frames, cuts) => {
          const all = frames.map((one) => octetsOf(one))
          const ends = new Set([0])
          let length = 0
          for (const one of all) {
            length += one.length
            ends.add(length)
          }
          const octets = Buffer.concat(all)
          const boundaries = new FrameBoundaries()
          let at = 0
          for (const cut of [...cuts.map((n) => n % (length + 1)), length].sort((a, b) => a - b)) {
            boundaries.push(octets.subarray(at, cut))
            at = cut
            expect(boundaries.isOpen).toBe(ends.has(cut))
          }
        },
      ),
    )
  })

  test('are the same octet by octet', () => {
    const frames = [7, 126, 200].map((length) => ({ opcode: 2, length, isMasked: false }))
    const boundaries = new FrameBoundaries()
    for (const one of frames) {
      const octets = octetsOf(one)
      for (const [at, octet] of octets.entries()) {
        boundaries.push(Uint8Array.of(octet))
        expect(boundaries.isOpen).toBe(at + 1 === octets.length)
      }
    }
  })

  test.each([7, 16, 64] as const)('are known of a length in %i bits', (form) => {
    const boundaries = new FrameBoundaries()
    boundaries.push(octetsOf({ opcode: 1, length: 5, isMasked: false }, form))
    expect(boundaries.isOpen).toBe(true)
  })

  test('of a frame without end there are none', () => {
    const boundaries = new FrameBoundaries()
    boundaries.push(Buffer.concat([Buffer.of(0x82, 127), Buffer.alloc(8, 0xff)]))
    for (let n = 0; n < 10; n++) boundaries.push(Buffer.alloc(100_000))
    expect(boundaries.isOpen).toBe(false)
  })

  test('nothing follows the frame that closes', () => {
    const boundaries = new FrameBoundaries()
    boundaries.push(octetsOf({ opcode: 1, length: 3, isMasked: false }))
    expect(boundaries.isOpen).toBe(true)
    boundaries.push(octetsOf({ opcode: 8, length: 2, isMasked: false }))
    expect(boundaries.isOpen).toBe(false)
  })
})

test('a frame that closes has a code and a reason, and no mask', () => {
  expect(Buffer.from(closeFrame(1008, 'no')).toString('hex')).toBe('880403f06e6f')
  expect(Buffer.from(closeFrame(1001, '')).toString('hex')).toBe('880203e9')
})
