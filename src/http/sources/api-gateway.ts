/**
 * AWS API Gateway with mutual TLS on a custom domain: the certificate is in the event that the Lambda function is called with, under
 * `requestContext.identity.clientCert` (payload format 1.0) or `requestContext.authentication.clientCert` (2.0). The gateway alone
 * writes `requestContext`; the event's headers are the client's and are never read.
 *
 * @module
 */

import { failed, type Result } from '../../base/result.ts'
import type { ForwardingFailure } from '../failure.ts'
import { maxHeaderLength } from '../headers/limits.ts'
import { readPemText } from '../headers/pem.ts'
import { absent, type ClientCertificateSource, type Found, unbelievable } from '../source.ts'
import { isAbsent, isObject, malformed, member, missing, unread } from './platform.ts'

/**
 * The certificate that API Gateway puts into its event; `HttpRequest.platform` is the event. An event without one came through a
 * domain without mutual TLS, such as the default endpoint (`execute-api`), which should be disabled. The gateway checks no revocation.
 *
 * @example
 * const source = apiGateway()
 * console.log(source.name, source.headers.length) // api-gateway 0
 */
export function apiGateway(): ClientCertificateSource {
  return { name: 'api-gateway', headers: [], read: ({ platform }) => foundIn(platform) }
}

function foundIn(event: unknown): Found {
  const context = isObject(event) ? member(event, 'requestContext') : undefined
  if (isAbsent(context)) return missing('requestContext')
  if (!isObject(context)) return malformed('requestContext', 'an object')
  const first = certificateIn(context, 'identity')
  if (first.kind === 'unbelievable') return first
  const second = certificateIn(context, 'authentication')
  if (second.kind === 'unbelievable' || first.kind === 'absent') return second
  if (second.kind === 'absent') return first
  return unbelievable({
    code: 'headers-contradict',
    header: pathOf('identity'),
    other: pathOf('authentication'),
  })
}

function certificateIn(context: object, name: 'identity' | 'authentication'): Found {
  const parent = member(context, name)
  if (isAbsent(parent)) return absent
  if (!isObject(parent)) return malformed(`requestContext.${name}`, 'an object')
  const certificate = member(parent, 'clientCert')
  if (isAbsent(certificate)) return absent
  if (!isObject(certificate)) return malformed(pathOf(name), 'an object')
  const field = `${pathOf(name)}.clientCertPem`
  const pem = member(certificate, 'clientCertPem')
  if (isAbsent(pem)) return missing(field)
  if (typeof pem !== 'string') return malformed(field, 'a text')
  return { kind: 'presented', key: pem, read: () => readField(pem, field) }
}

function readField(pem: string, field: string): Result<readonly Uint8Array[], ForwardingFailure> {
  if (pem.length > maxHeaderLength) {
    return failed({ code: 'header-too-large', header: field, maximum: maxHeaderLength })
  }
  const read = readPemText(pem)
  return read.ok ? read : failed(unread(read.failure, field))
}

function pathOf(name: 'identity' | 'authentication'): string {
  return `requestContext.${name}.clientCert`
}
