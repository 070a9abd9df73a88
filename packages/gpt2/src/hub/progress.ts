import type { RetryNotice } from "./retry.ts";

/** What a download reports while it runs. */
export type DownloadProgress =
  /** The files are known; `total` bytes in all, those on disk already included. */
  | {
      readonly type: "start";
      readonly commit: string;
      readonly files: readonly { readonly file: string; readonly size: number }[];
      readonly total: number;
    }
  /** `loaded` of the file's `size` bytes are on disk; falls back to 0 when a file starts over. */
  | {
      readonly type: "bytes";
      readonly file: string;
      readonly loaded: number;
      readonly size: number;
      readonly overall: { readonly loaded: number; readonly total: number };
    }
  /** An earlier run left `loaded` bytes of the file, to be continued if the server still has that version. */
  | { readonly type: "resume"; readonly file: string; readonly loaded: number; readonly size: number }
  /** The connection failed for the moment; the next try follows after `delay` milliseconds. */
  | ({ readonly type: "retry"; readonly file: string } & RetryNotice)
  | { readonly type: "verify"; readonly file: string; readonly size: number }
  /** The file is in place. */
  | { readonly type: "file"; readonly file: string; readonly size: number; readonly downloaded: boolean }
  /** All is there: in Node in this folder, in a page in the browser's storage. */
  | { readonly type: "done"; readonly commit: string; readonly folder?: string };

/** What a page reports besides, which keeps the model in the browser. */
export type KeepingProgress =
  /** Another tab downloads or deletes the same model; this one waits for it. */
  | { readonly type: "wait" }
  /** The matrices are being converted to the dtype asked for: `done` of the new file's `total` bytes are written. */
  | { readonly type: "convert"; readonly done: number; readonly total: number };
