/**
 * Names that may be given. What has a name already keeps it: those that are looked up are held against `namePattern` alone.
 *
 * @module
 */

import { withoutTokens } from '../../base/log-text.ts'

/**
 * Two names that look alike must be one: NFC, no space but U+0020 and none at the ends, nothing that is not seen. `*` stands for all names
 * in the rights of a token. A token that was pasted where a name belongs would be shown to everybody from then on.
 */
export function isNewName(name: string): boolean {
  return pattern.test(name) && name === name.normalize('NFC') && name === withoutTokens(name)
}

export const newNameWords =
  'a name of at most 255 characters in NFC, without / and control characters, with no other space than U+0020 and none at its ends; not * alone, and no token'

const pattern = /^(?!\.{1,2}$|\*$| )(?:[^\p{C}\p{Z}/]| ){1,255}(?<! )$/u
