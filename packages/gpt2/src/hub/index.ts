export type { WeightChoice } from "./choose-files.ts";
export { type DownloadOptions, downloadModel, findCachedModel } from "./download-model.ts";
export { HubError, type HubErrorCode, type HubErrorDetails } from "./error.ts";
export { hubFileUrl } from "./file-url.ts";
export { splitRevision } from "./names.ts";
export type { DownloadProgress } from "./progress.ts";
export type { RetryNotice } from "./retry.ts";
export type { DownloadedFile, DownloadedModel } from "./snapshot.ts";
