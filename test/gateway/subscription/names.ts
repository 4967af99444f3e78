/** What a gateway of the tests is told; apart from the manager's end, which a subscriber does not load. */

export const token = 'token-of-a-gateway'
export const environment = 'production'
