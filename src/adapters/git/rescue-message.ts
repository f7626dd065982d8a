/**
 * The message of a rescue's commit: a subject for people, then one line for each fact, so that a list of rescues takes
 * one call of git. Paths and texts are quoted as git quotes paths (core.quotePath), which any bytes survive.
 *
 *     rescue: before: git reset --hard
 *
 *     Signalbox-Session: 1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed
 *     Signalbox-Reason: "before: git reset --hard"
 *     Signalbox-At: 1767225600000
 *     Signalbox-Head: <commit>           HEAD then; none if there was no commit yet
 *     Signalbox-Index: <commit>          what was staged; none if nothing was
 *     Signalbox-File: 644 a.txt          in HEAD; the permission bits it had on disk
 *     Signalbox-New: 600 u.txt           not in HEAD
 *     Signalbox-Deleted: g.txt           in HEAD, not on disk
 *     Signalbox-Staged: a.txt
 *     Signalbox-Unstaged: g.txt          its removal was staged
 *     Signalbox-Unmerged: c.txt
 */
export interface SavedFile {
  readonly path: string;
  /** Permission bits; `undefined` for what is no file: a symbolic link, another repository. */
  readonly permissions: number | undefined;
}

/** What a rescue holds. Paths are bytes (latin1). */
export interface Contents {
  /** In full; the ref has it in a form that a ref's name allows. */
  readonly session: string;
  readonly reason: string;
  /** When it was saved (ms). */
  readonly at: number;
  readonly head: string | undefined;
  readonly index: string | undefined;
  /** Files on disk that HEAD has too, and those that it has not. */
  readonly files: readonly SavedFile[];
  readonly added: readonly SavedFile[];
  readonly deleted: readonly string[];
  readonly staged: readonly string[];
  readonly unstaged: readonly string[];
  readonly unmerged: readonly string[];
}

export function writeMessage(contents: Contents): string {
  const { session, reason, at, head, index, files, added, deleted, staged, unstaged, unmerged } = contents;
  const file = ({ path, permissions }: SavedFile) => `${permissions?.toString(8) ?? "-"} ${quoted(path)}`;
  const lines: [string, string | undefined][] = [
    ["Session", quoted(session)],
    ["Reason", quoted(reason)],
    ["At", String(at)],
    ["Head", head],
    ["Index", index],
    ...files.map((one): [string, string] => ["File", file(one)]),
    ...added.map((one): [string, string] => ["New", file(one)]),
    ...deleted.map((path): [string, string] => ["Deleted", quoted(path)]),
    ...staged.map((path): [string, string] => ["Staged", quoted(path)]),
    ...unstaged.map((path): [string, string] => ["Unstaged", quoted(path)]),
    ...unmerged.map((path): [string, string] => ["Unmerged", quoted(path)]),
  ];
  const facts = lines.flatMap(([name, value]) =>
    value === undefined ? [] : [`Signalbox-${name}: ${value}\n`],
  );
  const subject = reason
    .replaceAll(/[^ -~\x80-\xff]+/g, " ")
    .slice(0, 120)
    .trim();
  return `rescue: ${subject}\n\n${facts.join("")}`;
}

/** `undefined`: this is no rescue's message. */
export function readMessage(text: string): Contents | undefined {
  const facts = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const [, name, value] = /^Signalbox-(\w+): (.*)$/.exec(line) ?? [];
    if (name === undefined) continue;
    const values = facts.get(name);
    if (values === undefined) facts.set(name, [value!]);
    else values.push(value!);
  }
  const one = (name: string) => facts.get(name)?.[0];
  const paths = (name: string) => (facts.get(name) ?? []).map(unquoted);
  const files = (name: string) => (facts.get(name) ?? []).map(savedFile);
  const session = one("Session");
  if (session === undefined) return undefined;
  return {
    session: unquoted(session),
    reason: unquoted(one("Reason") ?? ""),
    at: Number(one("At") ?? 0),
    head: one("Head"),
    index: one("Index"),
    files: files("File"),
    added: files("New"),
    deleted: paths("Deleted"),
    staged: paths("Staged"),
    unstaged: paths("Unstaged"),
    unmerged: paths("Unmerged"),
  };
}

function savedFile(value: string): SavedFile {
  const space = value.indexOf(" ");
  const permissions = Number.parseInt(value.slice(0, space), 8);
  return {
    path: unquoted(value.slice(space + 1)),
    permissions: Number.isNaN(permissions) ? undefined : permissions,
  };
}

/** As git reads it in `--stdin-paths`: an octal escape for every byte that is not plain. */
export function quoted(bytes: string): string {
  if (/^[\w./+@,=:~%-]+$/.test(bytes)) return bytes;
  const escaped = bytes.replaceAll(
    /[^ !#-[\]-~]/g,
    (byte) => `\\${byte.charCodeAt(0).toString(8).padStart(3, "0")}`,
  );
  return `"${escaped}"`;
}

function unquoted(text: string): string {
  if (!text.startsWith('"')) return text;
  return text
    .slice(1, -1)
    .replaceAll(/\\([0-3][0-7]{2})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
