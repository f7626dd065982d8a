/**
 * The canonical form of a repository-relative path, by which two names of one file are known as one: Unicode
 * NFC (macOS hands out NFD), and lower case where the volume ignores case. On a volume that tells them apart,
 * names that differ only in Unicode form share a key: too careful there, never too careless.
 */
export function canonicalPath(
  path: string,
  { ignoreCase = false }: { readonly ignoreCase?: boolean } = {},
): string {
  const normal = path.normalize("NFC");
  return ignoreCase ? normal.toLowerCase() : normal;
}
