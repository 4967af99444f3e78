/** A log at a terminal: words for people. */
import { describe, expect, test } from 'vitest'
import { logForPeople } from '../../src/cli/serving/log-for-people.ts'

describe('lines for people', () => {
  function shown(facts: Readonly<Record<string, unknown>>): string {
    let text = ''
    logForPeople({
      stdout: { write: () => true },
      stderr: {
        write: (written) => {
          text += written
        },
      },
      readStdin: async () => new Uint8Array(),
      cwd: '/',
      env: {},
      now: () => new Date(0),
    }).write(JSON.stringify({ time: '2030-01-01T12:34:56.789Z', ...facts }))
    return text
  }

  test('say who was refused, without a certificate as well', () => {
    const facts = { level: 40, msg: 'refused', code: 'certificate-missing', reason: 'none came' }
    expect(shown(facts)).toMatch(/^12:34:56 refused a client without a certificate\n/)
    expect(shown({ ...facts, subject: '', fingerprint: 'ab12' })).toContain('SHA-256 ab12\n')
    expect(shown({ ...facts, msg: 'would refuse', subject: 'CN=a' })).toContain('would refuse CN=a')
  })

  test('say everything else in one', () => {
    const alarm = { level: 40, msg: 'alarm', code: 'manager-unreachable', sequence: 7 }
    expect(shown(alarm)).toBe('12:34:56 warn alarm code=manager-unreachable sequence=7\n')
    const error = { level: 50, msg: 'a request failed', err: { type: 'Error', message: 'why' } }
    expect(shown(error)).toBe('12:34:56 error a request failed\n         why\n')
    expect(shown({ level: 30, msg: 'request', status: 200 })).toBe(
      '12:34:56 info request status=200\n',
    )
  })

  test('hold nothing that moves a cursor', () => {
    const evil = 'CN=\u001b[2J\n\u009b2J\u202e'
    for (const msg of ['refused', 'other']) {
      const text = shown({ level: 40, msg, subject: evil, reason: evil, path: evil, x: { evil } })
      expect(text.replace(/\n/g, '')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
    }
  })
})
