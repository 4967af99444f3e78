/** A file read into one piece of memory, without stopping the event loop and within a limit. @module */

import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { failed, type Result, success } from '../../base/result.ts'
import { errorCodeOf, type FileFailure } from './failure.ts'
import { allocate } from './memory.ts'

/** Reads a regular file; of one that grows meanwhile what was there when it was opened. */
export async function readWholeFile(
  path: string,
  maxBytes: number,
): Promise<Result<Uint8Array, FileFailure>> {
  try {
    // A pipe or a device must not make opening it wait.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const stat = await file.stat()
      if (!stat.isFile()) return failed({ code: 'file-kind' })
      if (stat.size > maxBytes) return failed({ code: 'too-large', maxBytes })
      const bytes = allocate(stat.size)
      let length = 0
      while (length < bytes.length) {
        const { bytesRead } = await file.read(
          bytes,
          length,
          Math.min(sliceOctets, bytes.length - length),
        )
        if (bytesRead === 0) break
        length += bytesRead
      }
      return success(bytes.subarray(0, length))
    } finally {
      await file.close()
    }
  } catch (error) {
    return failed({ code: 'file', error: errorCodeOf(error) })
  }
}

const sliceOctets = 1 << 20
