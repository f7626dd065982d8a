import type { DirtyPath, Facts, Owner } from "./guard-facts.ts";

/** The guard's words: what is so, who, since when. Neutral, short. */

const SHOWN = 5;

/** "session 3f2a91c0" */
function sessionName(session: string): string {
  return `session ${session.slice(0, 8)}`;
}

/** "session 3f2a91c0 works in this tree" */
export function whoIsHere(
  { others, othersSince }: Pick<Facts, "others" | "othersSince">,
  where = "this tree",
): string {
  const since = (i: number) => (othersSince?.[i] === undefined ? "" : ` (since ${clock(othersSince[i])})`);
  const names = others
    .slice(0, 3)
    .map((session, i) => sessionName(session) + since(i))
    .join(", ");
  const more = others.length > 3 ? ` and ${others.length - 3} more` : "";
  return names === ""
    ? `others work in ${where}`
    : `${names}${more} ${others.length === 1 ? "works" : "work"} in ${where}`;
}

/** "a.txt (session 3f2a91c0, edited since 12:03), notes.txt (nobody's on record) and 3 more" */
export function listedWithOwners(paths: readonly Pick<DirtyPath, "path" | "name" | "owner">[]): string {
  const each = paths
    .slice(0, SHOWN)
    .map(({ path, name, owner }) => `${shown(name ?? path)} (${ownerText(owner)})`);
  return each.join(", ") + (paths.length > SHOWN ? ` and ${paths.length - SHOWN} more` : "");
}

function ownerText(owner: Owner): string {
  if (owner.kind !== "session") return whoText(owner);
  const how = { reservation: "reserved", edit: "edited", attributed: "changed" }[owner.how];
  return `${sessionName(owner.session)}, ${how} since ${clock(owner.since)}`;
}

/** "session 3f2a91c0", of what has no time that is worth telling. */
export function whoText(owner: Owner): string {
  if (owner.kind === "session") return sessionName(owner.session);
  return owner.kind === "mine" ? "yours" : "nobody's on record, maybe a person's";
}

/** "session 3f2a91c0, there since 12:03" */
export function commitOwnerText(owner: Owner): string {
  return owner.kind === "session" ? `${whoText(owner)}, there since ${clock(owner.since)}` : whoText(owner);
}

/** "12:03" in local time. */
function clock(ms: number): string {
  const date = new Date(ms);
  return `${String(date.getHours()).padStart(2, "0")}:${String(date.getMinutes()).padStart(2, "0")}`;
}

/** A command as it can be pasted into a shell. */
export function commandText(...words: readonly string[]): string {
  return ["git", ...words.map(quoted)].join(" ");
}

function quoted(word: string): string {
  // Braces and a tilde mean something to a shell only where it would expand them: not in `stash@{1}`, `HEAD~1`.
  return /^[\w@%+=:,./{}~^-]+$/.test(word) && !/^[~{]|\{.*(?:,|\.\.)/.test(word)
    ? word
    : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** A name within a line: what would break the line is written out. */
function shown(path: string): string {
  return path.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`);
}
