import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Done, editPayload, type FakeSession, run } from "./imports.ts";

/** Somebody at work: in a shell of their own, with an editor of their own. */
export interface Actor {
  readonly name: string;
  readonly cwd: string;
  /** Runs a script in their shell, as their client does. */
  readonly sh: (script: string) => Promise<Done>;
  /** Changes a file with their editor; what an editor's gate refuses ends with 1. */
  readonly edit: (file: string, change: Change) => Promise<Done>;
}

/** From the text of a file, or "" for a new one, to its next text. */
export type Change = (text: string) => string;

const FINE: Done = { code: 0, signal: null, stdout: "", stderr: "" };

/** Two of them on plain git share everything. So does a person, who has no editor that asks. */
export function plainActor(name: string, cwd: string, env: Readonly<Record<string, string>>): Actor {
  return {
    name,
    cwd,
    sh: (script) => run("sh", ["-c", script], { cwd, env }),
    edit: async (file, change) => {
      rewrite(join(cwd, file), change);
      return FINE;
    },
  };
}

export function sessionActor(name: string, cwd: string, session: FakeSession): Actor {
  return {
    name,
    cwd,
    sh: (script) => session.command(script),
    edit: async (file, change) => {
      const answer = await session.ask(file);
      if (answer.denied !== undefined) return { ...answer, code: 1, stderr: answer.denied };
      rewrite(join(cwd, file), change);
      return session.hook("post-edit", editPayload(session.who, "PostToolUse", join(cwd, file)));
    },
  };
}

function rewrite(path: string, change: Change): void {
  let text = "";
  try {
    text = readFileSync(path, "utf8");
  } catch {
    mkdirSync(dirname(path), { recursive: true });
  }
  const next = change(text);
  if (next.startsWith(text)) appendFileSync(path, next.slice(text.length));
  else writeFileSync(path, next);
}
