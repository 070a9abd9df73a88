/** Made by build/model-source.ts. */
declare module "virtual:model-source" {
  /** The SHA-256 of the file, with line breaks of one character. */
  export const hash: string;
  /** Its lines, each in pieces of one colour. */
  export const lines: readonly (readonly (readonly [text: string, kind: string])[])[];
}
