/** The JSON form of `explain --json`. @module */

import { formatEntry } from '../../acl/index.ts'
import { judgedJson } from './json.ts'
import type { AclView, Explained } from './trace.ts'

export function explainedJson({ judged, issuerAcl, clientAcl, profiles }: Explained): object {
  return {
    ...judgedJson(judged),
    ...(issuerAcl === undefined ? {} : { issuerAcl: aclJson(issuerAcl) }),
    ...(clientAcl === undefined ? {} : { clientAcl: aclJson(clientAcl) }),
    profiles: Object.fromEntries(
      profiles.map(({ profile, reason }) => [
        profile,
        { ok: reason === undefined, code: reason?.code ?? null },
      ]),
    ),
  }
}

function aclJson({ allowed, code, entry, nearest }: AclView): object {
  return {
    /** null: no valid path was there to look at. */
    allowed: allowed ?? null,
    code: code ?? null,
    entry: entry === undefined ? null : formatEntry(entry),
    nearest:
      nearest === undefined
        ? null
        : {
            entry: formatEntry(nearest.entry),
            differences: nearest.differences.map(({ field, expected, actual }) => ({
              field,
              expected: expected ?? null,
              actual: actual ?? null,
            })),
          },
  }
}
