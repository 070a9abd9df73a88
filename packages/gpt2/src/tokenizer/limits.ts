/**
 * The most ids that a list of tokens may hold. Node 20 ends the process, without an error that could be caught, when `push` grows
 * an array beyond this; later versions take more.
 */
export const MAX_TOKENS = 112_813_858;

/** The most characters without the end of a word that a text in pieces may have: half of what a string holds in V8. */
export const MAX_PENDING_CHARACTERS = 2 ** 28;
