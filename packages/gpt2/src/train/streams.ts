// What random numbers are for in a training: each purpose has streams of its own.

/** The order of the windows; a stream for each pass over the tokens. */
export const SHUFFLE = 1;
/** What is dropped; a stream for each sequence. */
export const DROPOUT = 2;
