/** Devices that Windows sees in file names, whatever their ending. */
const DEVICE = /^(?:con|prn|aux|nul|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3]|conin\$|conout\$)(?:[. ]|$)/i;

/** Whether a relative path of a repository, whose parts are separated by `/`, can be one on this system. */
export function canBePath(path: string, platform: NodeJS.Platform = process.platform): boolean {
  if (platform !== "win32") return true;
  return path.split("/").every((part) => !DEVICE.test(part) && !/[<>:"|?*\\]/.test(part) && !/[. ]$/.test(part));
}
