import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { asciiBytes } from '../../src/base/bytes.ts'
import { readPem, writePem } from '../../src/base/pem.ts'

const bytes = asciiBytes('foobar')
const block = '-----BEGIN X-----\nZm9vYmFy\n-----END X-----\n'
const read = (text: string) => readPem(text).blocks.map((one) => [one.label, one.bytes])

describe('PEM, RFC 7468 §2', () => {
  test.each([
    ['LF', block],
    ['CRLF', block.replaceAll('\n', '\r\n')],
    ['CR', block.replaceAll('\n', '\r')],
    ['all in one line', block.replaceAll('\n', '')],
    ['spaces for line ends', block.replaceAll('\n', ' ')],
    ['lines of one character', block.replace('Zm9vYmFy', 'Zm9vYmFy'.split('').join('\n'))],
    ['blank lines', block.replaceAll('\n', '\n\n')],
    ['indented', block.replaceAll('\n', '\n    ')],
    ['no newline at the end', block.trimEnd()],
    ['text around it', `Bag Attributes\n  friendlyName: x\n${block}subject=CN = a\n`],
    ['dashes before it', `-----\n${block}`],
  ])('%s', (_, text) => {
    expect(readPem(text).failure).toBeUndefined()
    expect(read(text)).toEqual([['X', bytes]])
  })
  test('several blocks, and where they start', () => {
    const { blocks, failure } = readPem(`a\n${block}b\n${block.replaceAll('X', 'A LABEL')}`)
    expect(failure).toBeUndefined()
    expect(blocks.map(({ label, offset }) => [label, offset])).toEqual([
      ['X', 2],
      ['A LABEL', 4 + block.length],
    ])
  })
  test('blocks without anything between them', () => {
    const tight = block.trimEnd()
    expect(read(tight + tight)).toHaveLength(2)
  })
  test('no block', () => {
    expect(readPem('')).toEqual({ blocks: [], failure: undefined })
    expect(readPem('-----END X-----')).toEqual({ blocks: [], failure: undefined })
  })
  test('headers before an empty line are passed over, RFC 1421 §4.4', () => {
    const headers = 'Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n'
    const text = block.replace('Zm9v', `${headers}Zm9v`)
    expect(read(text)).toEqual([['X', bytes]])
    expect(read(text.replaceAll('\n', '\r\n'))).toEqual([['X', bytes]])
  })
  test('headers that do not end are no Base64', () => {
    const text = block.replace('Zm9v', 'Proc-Type: 4,ENCRYPTED\nZm9v')
    expect(readPem(text).failure).toEqual({ code: 'pem-base64', label: 'X', offset: 0 })
  })
  test('a colon after the block is no header', () => {
    expect(read(`${block}a: b\n\n`)).toEqual([['X', bytes]])
  })
  test.each([
    ['no END', '-----BEGIN X-----\nZm9v\n', 'pem-no-end', 'X'],
    ['another END', block.replace('END X', 'END Y'), 'pem-no-end', 'X'],
    ['a small end', block.replace('END X', 'end X'), 'pem-no-end', 'X'],
    ['a label over two lines', '-----BEGIN X\n-----\nZm9v\n-----END X\n-----', 'pem-no-end', 'X\n'],
    ['a label over a CR', '-----BEGIN X\r-----', 'pem-no-end', 'X\r'],
    ['a label of 65', block.replaceAll('X', 'X'.repeat(65)), 'pem-no-end', 'X'.repeat(64)],
    ['no Base64', block.replace('Zm9v', 'Zm9*'), 'pem-base64', 'X'],
    ['nothing inside', '-----BEGIN X----------END X-----', 'pem-base64', 'X'],
    ['another BEGIN inside', block.replace('Zm9v', '-----BEGIN X-----'), 'pem-base64', 'X'],
  ])('%s ends the reading', (_, text, code, label) => {
    const { blocks, failure } = readPem(`${block}${text}${block.replaceAll('X', 'Z')}`)
    expect(failure).toEqual({ code, label, offset: block.length })
    expect(blocks).toHaveLength(1)
  })
  test('a BEGIN that the text ends in', () => {
    expect(readPem('-----BEGIN X').failure).toEqual({ code: 'pem-no-end', label: '', offset: 0 })
  })
  test('a label of 64 is read', () => {
    expect(read(block.replaceAll('X', 'X'.repeat(64)))).toEqual([['X'.repeat(64), bytes]])
  })
  test('what is written is read; lines have 64 characters', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (octets) => {
        const text = writePem('CERTIFICATE', octets)
        expect(read(text)).toEqual([['CERTIFICATE', octets]])
        for (const line of text.split('\n').slice(1, -3)) expect(line).toHaveLength(64)
      }),
    )
    expect(writePem('X', bytes)).toBe(block)
  })
  test('no text makes it throw', () => {
    const part = fc.constantFrom(
      '-----BEGIN ',
      '-----END ',
      '-----',
      'X',
      '\n',
      '\r',
      'Zm9v',
      ':',
      '=',
    )
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        readPem(parts.join(''))
      }),
      { numRuns: 1_000 },
    )
  })
})
