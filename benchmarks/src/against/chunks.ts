/**
 * The chunks of a bundle that are loaded with the one named `entry`: those that it imports, directly or not.
 *
 * @param importsOf what a chunk imports as soon as it is loaded; undefined for what is no chunk
 */
export function chunksLoadedWith(entry: string, importsOf: (name: string) => readonly string[] | undefined): string[] {
  const loaded = new Set([entry]);
  for (const name of loaded) {
    for (const imported of importsOf(name) ?? []) if (importsOf(imported)) loaded.add(imported);
  }
  return [...loaded];
}
