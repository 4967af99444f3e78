import { expect, test } from 'vitest'
import type { AclEntry } from '../../src/acl/index.ts'
import { describeFailure, type Failure } from '../../src/explain.ts'

const entry = { effect: 'deny', match: { dn: 'CN=Issuing CA' }, at: 'issuer' } satisfies AclEntry

test.each<Failure>([
  { code: 'issuer-denied', entry },
  { code: 'client-denied', entry: { effect: 'deny', match: { dn: 'CN=client-a' } } },
  { code: 'issuer-deny-unchecked', entry },
])('what mends $code is no entry that allows: deny wins', (failure) => {
  expect(describeFailure(failure).remedy).not.toContain('add an entry')
})

test.each<Failure>([
  { code: 'acl-empty' },
  { code: 'issuer-not-allowed' },
  { code: 'client-not-allowed' },
])('what mends $code is an entry that allows', (failure) => {
  expect(describeFailure(failure).remedy).toContain('add an entry')
})
