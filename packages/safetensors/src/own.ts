/**
 * An array over memory of its own, `Own<Uint8Array>` for `Uint8Array<ArrayBuffer>`: TypeScript before 5.7, whose arrays take no
 * type argument, reads this too.
 */
export type Own<View extends { slice(): unknown }> = ReturnType<View["slice"]>;
