/** Tokens and the audit log. @module */

import { namePattern, nameWords } from '../../../deployment/fields.ts'
import type { TokenRequest } from '../../resources.ts'
import { auditPage } from '../../service/audit.ts'
import { invalidField, Refusal } from '../../service/refusal.ts'
import { demandAdmin } from '../../service/rights.ts'
import {
  createToken,
  revokeToken,
  tokenNamed,
  tokenResource,
  tokensPage,
  tokenTag,
} from '../../service/tokens.ts'
import { done, page, resource } from '../answer.ts'
import type { Route } from '../route.ts'
import { auditQuery, pageQuery, tokenRequest } from '../schemas.ts'

const tokens = '/apiops/tokens/'
const token = `${tokens}{tokenName}/`

export const systemRoutes: readonly Route[] = [
  {
    method: 'get',
    path: tokens,
    operationId: 'listTokens',
    tag: 'Tokens',
    summary: 'Tokens and their rights; never the tokens themselves',
    needs: 'admin',
    query: pageQuery,
    answer: 'tokens',
    handle: async (call) => page(await tokensPage(call.manager.store.db, call.page)),
  },
  {
    method: 'post',
    path: token,
    operationId: 'createToken',
    tag: 'Tokens',
    summary: 'Create a token; it is shown this once',
    needs: 'admin',
    body: { schema: tokenRequest, checkedBy: 'schema' },
    answer: 'newToken',
    handle: async (call) => {
      const name = call.name('tokenName')
      // What is remembered for a retry would be the token itself. Its name is enough to see whether the first try came through.
      if (call.hasRetryKey) {
        throw new Refusal(
          'header-malformed',
          'no Idempotency-Key here: an answer with a secret is not kept',
        )
      }
      return await call.change(async (change) =>
        resource(await createToken(change, name, call.body as TokenRequest)),
      )
    },
  },
  {
    method: 'get',
    path: token,
    operationId: 'readToken',
    tag: 'Tokens',
    summary: 'Rights and dates of a token',
    needs: 'admin',
    answer: 'token',
    handle: async (call) => {
      const row = await tokenNamed(call.manager.store.db, call.name('tokenName'))
      return resource(tokenResource(row), tokenTag(row))
    },
  },
  {
    method: 'delete',
    path: token,
    operationId: 'revokeToken',
    tag: 'Tokens',
    summary: 'Revoke a token: at once, and for good',
    needs: 'admin',
    conditional: true,
    answer: 'done',
    handle: async (call) =>
      await call.change(async (change) => {
        await revokeToken(change, call.name('tokenName'))
        return done()
      }),
  },
  {
    method: 'get',
    path: '/apiops/audit/',
    operationId: 'listAudit',
    tag: 'Audit',
    summary: 'Who changed what, the newest first',
    needs: 'any',
    query: auditQuery,
    answer: 'audit',
    handle: async (call) => {
      const { project } = call.query as { readonly project?: string }
      const { db } = call.manager.store
      if (project !== undefined && !namePattern.test(project)) {
        throw invalidField('project', nameWords)
      }
      if (project === undefined) demandAdmin(call.actor)
      else {
        // Not whether it exists: what was done to a project that is no more is in there, too.
        call.demand('read', project)
      }
      return page(await auditPage(db, project, call.page))
    },
  },
]
