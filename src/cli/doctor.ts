import { boxDirOf, isInstalled, openBox } from "../adapters/box.ts";
import { checksOf } from "../adapters/doctor/mod.ts";
import { diagnose } from "../app/doctor.ts";
import type { Box } from "../app/box.ts";
import { command, JSON_OPTION } from "./command.ts";
import { repoHere } from "./context.ts";
import { CommandError, EXIT } from "./exit.ts";
import { out, outJson, printable, styled } from "./output.ts";
import { VERSION } from "./version.ts";

export const doctorCommand = command({
  name: "doctor",
  description: "is everything in working order? exit 1 if not",
  args: {
    explain: { type: "boolean", description: "what is checked, what it means, what --fix does" },
    fix: { type: "boolean", description: "mend what can be mended; damaged files are kept as copies" },
    ...JSON_OPTION,
  },
  words: 0,
  run({ args }) {
    const repo = repoHere();
    const boxDir = boxDirOf(repo.commonDir);
    if (!isInstalled(repo.commonDir))
      throw new CommandError("signalbox is not installed here; run: signalbox init");
    let box: Box | undefined;
    const open = () => (box ??= openBox(boxDir, repo.top));
    const checks = checksOf({ repo, boxDir, open, version: VERSION });
    if (args.explain === true) {
      if (args.json) outJson("checks", 1, { checks: checks.map(({ run: _, ...check }) => check) });
      else for (const { name, means, fix } of checks) out(explained(name, means, fix));
      return EXIT.ok;
    }
    const found = diagnose(checks, { fix: args.fix ?? false });
    if (args.json) outJson("doctor", 1, { ok: found.every((d) => d.ok), checks: found });
    else {
      for (const { name, means, ok, detail, fixed } of found) {
        out(
          `${ok ? styled("green", "ok  ") : styled("red", "BAD ")} ${name.padEnd(13)} ${printable(ok && fixed === undefined ? detail : `${means}: ${detail}`)}`,
        );
        if (fixed !== undefined)
          out(`     ${"".padEnd(13)} ${styled("yellow", `fixed: ${printable(fixed)}`)}`);
      }
    }
    return found.every((d) => d.ok) ? EXIT.ok : EXIT.failed;
  },
});

function explained(name: string, means: string, fix: string): string {
  return `${styled("bold", name.padEnd(13))} ${means}${fix === "" ? "" : `\n${" ".repeat(13)} --fix ${fix}`}`;
}
