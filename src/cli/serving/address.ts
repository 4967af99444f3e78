/** Addresses to listen on, as they are written on a command line. @module */

import { UsageError } from '../io.ts'

/** `8443`, `0.0.0.0:8443`, `[::1]:8443`; without a host every address of the machine. */
export function addressOf(
  option: string,
  text: string,
): { readonly host: string; readonly port: number } {
  const [, inBrackets, plain, port] =
    /^(?:(?:\[([\da-f:.]+)\]|([^:[\]]+)):)?(\d{1,5})$/i.exec(text) ?? []
  if (port === undefined || Number(port) > 65535) {
    throw new UsageError(
      'usage-invalid-value',
      `${option}: ${text} is no address`,
      'write a port, or an address and a port: 8443, 127.0.0.1:8443, [::1]:8443',
    )
  }
  return { host: inBrackets ?? plain ?? '::', port: Number(port) }
}
