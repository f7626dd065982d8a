import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GIT_HOOKS } from "../../../hooks/manifest.ts";
import { openLog } from "../../../src/log/mod.ts";
import { built } from "./build.ts";
import type { ScratchRepo } from "./scratch.ts";

export async function installByHand({ top, boxDir }: ScratchRepo): Promise<void> {
  for (const d of ["bin", "runtime", "spool/seen", "spool/wrote", "spool/checked", "views/live"])
    mkdirSync(join(boxDir, d), { recursive: true });
  copyFileSync(join(built(), "hook.cjs"), join(boxDir, "runtime/hook.cjs"));
  const sh = readFileSync(join(import.meta.dirname, "../../../hooks/hook.sh"), "utf8")
    .replace("@SPOOL@", "claude:post-edit")
    .replace("@SEEN@", "claude:pre-bash | claude:post-bash | claude:post-bash-failure | claude:stop")
    .replace("@OTHERS@", "claude:prompt-submit | git:pre-commit | git:prepare-commit-msg")
    .replace(
      "@LIVE@",
      "git:post-commit | git:post-checkout | git:post-merge | git:post-rewrite | git:pre-push",
    )
    .replace("@RUNTIME@", `'${process.execPath}'`)
    .replace("@FLAGS@", "");
  writeFileSync(join(boxDir, "bin/hook"), sh);
  chmodSync(join(boxDir, "bin/hook"), 0o755);
  for (const { name } of GIT_HOOKS) {
    const file = join(top, ".git/hooks", name);
    writeFileSync(
      file,
      `#!/bin/sh\nexport SIGNALBOX_GIT_PID=$PPID\n"\${0%/*}/../signalbox/bin/hook" git ${name} "$@" || exit 1\n`,
    );
    chmodSync(file, 0o755);
  }
  openLog({ dir: join(boxDir, "log"), projections: [], create: true }).close();
}
