/** The table of hooks in docs/hooks.md, made from the manifest: `npx tsx scripts/hook-table.ts` writes it. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Hook, HOOKS } from "../hooks/manifest.ts";

const BEGIN = "<!-- hooks:begin -->\n";
const END = "<!-- hooks:end -->";
const WHEN = {
  always: "always",
  live: "a session is live",
  others: "another session is live",
  news: "another session is live and there is news for this one",
} as const;

export const HOOKS_DOC = join(import.meta.dirname, "../docs/hooks.md");

/** The document with its table as the manifest has it. */
export function withTable(doc: string): string {
  const [before = "", rest = ""] = doc.split(BEGIN);
  return `${before}${BEGIN}${table(HOOKS)}${END}${rest.slice(rest.indexOf(END) + END.length)}`;
}

function table(hooks: readonly Hook[]): string {
  const rows = hooks.map((hook) => {
    const where =
      hook.kind === "git"
        ? `git ${hook.name}`
        : `${hook.event}${hook.matcher === undefined ? "" : ` on ${hook.matcher.replaceAll("|", ", ")}`}`;
    const runtime = hook.mode === "spool" ? "never" : WHEN[hook.when];
    return `| ${where} | ${hook.mode}${hook.blocking ? ", may refuse" : ""} | ${runtime} | ${hook.does} |\n`;
  });
  return `| hook | mode | starts the runtime when | what it does |\n| --- | --- | --- | --- |\n${rows.join("")}`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  writeFileSync(HOOKS_DOC, withTable(readFileSync(HOOKS_DOC, "utf8")));
}
