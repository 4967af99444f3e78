/** Upper bounds of the histogram of validation times. @module */

/** Seconds. One signature takes about a tenth of a millisecond; what waits for a status takes as long as the network does. */
export const validationBuckets: readonly number[] = [
  0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5,
]
