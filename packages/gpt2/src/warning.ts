/** Is told of something in a model's files that was read differently from what they say, or that its user should know of. */
export type WarningListener = (message: string) => void;

/** Where warnings go unless `onWarning` is given. */
export const warnOnConsole: WarningListener = (message) => console.warn(message);
