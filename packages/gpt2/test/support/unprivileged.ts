/** Whether a test can act as a user whom folders keep out: on systems with user numbers only. */
export const canBeUnprivileged = process.geteuid !== undefined;

/** Runs `work` as a user without privileges: permissions say nothing to root, as which tests run in containers. */
export async function unprivileged<T>(work: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return await work();
  process.seteuid!(65_534); // nobody
  try {
    return await work();
  } finally {
    process.seteuid!(0);
  }
}
