export {
  type DownloadedFile,
  type DownloadedModel,
  type DownloadOptions,
  downloadModel,
  findCachedModel,
} from "./download-model.ts";
export { HubError, type HubErrorCode, type HubErrorDetails } from "./error.ts";
export { hubFileUrl } from "./file-url.ts";
export type { DownloadProgress } from "./progress.ts";
export type { RetryNotice } from "./retry.ts";
