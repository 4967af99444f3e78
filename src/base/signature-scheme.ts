/** The signature schemes of X.509, as data that both the reader and a runtime understand. @module */

export type HashName = 'MD5' | 'SHA-1' | 'SHA-224' | 'SHA-256' | 'SHA-384' | 'SHA-512'

export type SignatureScheme =
  | { readonly name: 'RSASSA-PKCS1-v1_5'; readonly hash: HashName }
  /** MGF1 with the same hash; `saltLength` in bytes. RFC 4055 §3.1 */
  | { readonly name: 'RSASSA-PSS'; readonly hash: HashName; readonly saltLength: number }
  | { readonly name: 'ECDSA'; readonly hash: HashName }
  | { readonly name: 'DSA'; readonly hash: HashName }
  | { readonly name: 'Ed25519' }
  | { readonly name: 'Ed448' }
  /** RFC 9881 */
  | { readonly name: 'ML-DSA-44' | 'ML-DSA-65' | 'ML-DSA-87' }
