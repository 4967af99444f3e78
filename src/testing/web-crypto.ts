/** The type of WebCrypto, whatever declares it. @module */

/** Node's types have no global `Crypto`: it would bind whoever imports us to the library `DOM`. */
export type WebCrypto = typeof globalThis.crypto
