import { checkFileName, checkModelName, checkRevision } from "./names.ts";

/** The public hub, used unless `HF_ENDPOINT` or an option says otherwise. */
export const DEFAULT_ENDPOINT = "https://huggingface.co";

/**
 * The URL of one file of a model. Runs anywhere; a browser can open a safetensors file at this URL by range requests.
 *
 * @throws HubError `invalid-name` for a name, file or revision that cannot be one
 */
export function hubFileUrl(name: string, file: string, revision = "main", endpoint = DEFAULT_ENDPOINT): string {
  checkModelName(name);
  checkFileName(file);
  checkRevision(revision);
  const path = file.split("/").map(encodeURIComponent).join("/");
  return `${endpoint.replace(/\/+$/, "")}/${name}/resolve/${encodeURIComponent(revision)}/${path}`;
}
