/** `npx tsx test/support/claude/record-fixtures.ts`: records test/fixtures/claude anew (see its README). */
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fetchClaude } from "../../../scripts/fetch-claude.ts";
import { recordFixtures } from "./fixtures.ts";

const DIR = join(import.meta.dirname, "../../fixtures/claude");

process.env["CLAUDE_BIN"] = await fetchClaude();
const fixtures = await recordFixtures();
for (const name of readdirSync(DIR)) if (name.endsWith(".json")) rmSync(join(DIR, name));
for (const [name, text] of fixtures) writeFileSync(join(DIR, `${name}.json`), text);
console.log(`${fixtures.size} payloads in ${DIR}`);
