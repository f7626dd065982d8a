/**
 * The canonical name of a file in the log: two names of one file have the same key, and in the log nothing else
 * stands for a file.
 */
export interface PathKey {
  /** "" for the main working tree, else the linked worktree's id (its name in `<git common dir>/worktrees/`). */
  readonly tree: string;
  /** Canonical: `canonicalPath`. "" is the top of the tree. */
  readonly path: string;
}

export interface KeyOptions {
  /** Whether the volume takes names that differ in case for one. */
  readonly ignoreCase?: boolean;
}

/**
 * The canonical form of a repository-relative path with `/`: no empty, `.` or `..` segments, none at its end,
 * Unicode NFC (macOS hands out NFD), folded where the volume ignores case. Every other character is a name's
 * own: a backslash, a newline, a leading dash. On a volume that tells them apart, names that differ only in
 * Unicode form share a key: too careful there, never too careless.
 *
 * @throws RangeError if the path is absolute, leads out of the tree, or has a NUL
 */
export function canonicalPath(path: string, { ignoreCase = false }: KeyOptions = {}): string {
  if (path.startsWith("/") || path.includes("\0"))
    throw new RangeError(`${JSON.stringify(path)} is no path within a working tree`);
  const segments: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "" || segment === ".") continue;
    if (segment !== "..") segments.push(segment);
    else if (segments.pop() === undefined)
      throw new RangeError(`${JSON.stringify(path)} leads out of the working tree`);
  }
  const name = segments.join("/").normalize("NFC");
  return ignoreCase ? foldName(name) : name;
}

/**
 * The form in which names that differ in case are equal. Greek has two small sigmas, chosen by what stands
 * beside them, so one is taken for both; some letters compose in lower case only (J̌), hence NFC again.
 */
export function foldName(name: string): string {
  return name.toLowerCase().replaceAll("ς", "σ").normalize("NFC");
}

/**
 * The key as one printable line that names no other file: `path` in the main tree, `tree:path` in a linked one.
 * What stands before the first colon is the tree, so a main-tree path that has one is written `:path`. Control
 * and format characters (newlines, bidirectional marks) are `\u{…}`, a backslash is `\\`.
 */
export function keyText({ tree, path }: PathKey): string {
  const text = tree === "" && !path.includes(":") ? path : `${tree}:${path}`;
  return text.replaceAll(/[\\\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (char) =>
    char === "\\" ? "\\\\" : `\\u{${char.codePointAt(0)!.toString(16)}}`,
  );
}

/** The key that `keyText` wrote. */
export function keyOf(text: string): PathKey {
  const plain = text.replaceAll(/\\(?:\\|u\{([\da-f]{1,6})\})/g, (_, code: string | undefined) =>
    code === undefined ? "\\" : String.fromCodePoint(Number.parseInt(code, 16)),
  );
  const colon = plain.indexOf(":");
  return colon < 0
    ? { tree: "", path: plain }
    : { tree: plain.slice(0, colon), path: plain.slice(colon + 1) };
}
