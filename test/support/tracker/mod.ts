import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Cleaner, makeScratch, type ScratchRepo } from "../repo/scratch.ts";

export interface Issue {
  readonly id: string;
  readonly title: string;
  readonly status: string;
  readonly issue_type?: string;
  readonly assignee?: string;
}

/** A repository whose tasks are in Beads: the stand-in `bd` is on everybody's PATH. */
export async function makeTracked(
  cleaner: Cleaner,
  issues: readonly (Partial<Issue> & { readonly id: string })[] = [],
  env: Readonly<Record<string, string>> = {},
) {
  const bin = join(import.meta.dirname, "bd.mjs");
  const repo = await makeScratch(cleaner, { env: { USER: "pat", ...env } });
  const dir = join(repo.dir, "bin");
  mkdirSync(dir);
  writeFileSync(join(dir, "bd"), `#!/bin/sh\nexec '${process.execPath}' '${bin}' "$@"\n`);
  chmodSync(join(dir, "bd"), 0o755);
  (repo.env as Record<string, string>)["PATH"] = `${dir}${delimiter}${repo.env["PATH"] ?? ""}`;
  const beads = join(repo.top, ".beads");
  mkdirSync(beads);
  writeFileSync(join(repo.top, ".git/info/exclude"), ".beads\n");
  const file = join(beads, "issues.json");
  const all = issues.map(({ id, ...more }) => ({
    id,
    title: id,
    status: "open",
    issue_type: "task",
    ...more,
  }));
  writeFileSync(file, JSON.stringify(all));
  return {
    repo,
    /** An issue as it is stored. */
    issue: (id: string): Issue | undefined =>
      (JSON.parse(readFileSync(file, "utf8")) as Issue[]).find((issue) => issue.id === id),
    /** Somebody else has the storage, from now on or no more. */
    busy(on: boolean): void {
      if (on) writeFileSync(join(beads, "busy"), "");
      else rmSync(join(beads, "busy"), { force: true });
    },
  };
}

/** What the log says: task → session. */
export async function claimed(repo: ScratchRepo): Promise<Record<string, string>> {
  const { claims } = JSON.parse((await repo.signalbox("claim", "--json")).stdout) as {
    claims: { task: string; session: string }[];
  };
  return Object.fromEntries(claims.map(({ task, session }) => [task, session]));
}
