/** The script that puts a session's `git` on its PATH: pasted by the client before every command. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { sessionEnv, writeSessionEnv } from "../../src/adapters/session-env.ts";

function place(t: TestContext, name: string): { dir: string; boxDir: string; file: string } {
  const dir = mkdtempSync(join(tmpdir(), "signalbox-env-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const boxDir = join(dir, name, "signalbox");
  mkdirSync(join(boxDir, "shim"), { recursive: true });
  writeFileSync(join(boxDir, "shim/git"), "#!/bin/sh\necho shim\n");
  chmodSync(join(boxDir, "shim/git"), 0o755);
  return { dir, boxDir, file: join(dir, "env.sh") };
}

const SHELLS = ["sh", "bash", "zsh"].filter((shell) => spawnSync(shell, ["-c", ":"]).status === 0);

for (const name of ["plain", "with space", "it's", 'say "x"', "$HOME `id` \\", "ž*?[a]", "-n"]) {
  test(`a repository called ${name}: every shell finds the shim, however often the script is pasted`, (t) => {
    const { boxDir, file } = place(t, name);
    writeSessionEnv(file, boxDir);
    for (const shell of SHELLS) {
      const script = `. '${file}'; . '${file}'; git; echo "$PATH"`;
      const { stdout, status } = spawnSync(shell, ["-c", script], { encoding: "utf8" });
      assert.equal(status, 0, shell);
      const [first, path = ""] = stdout.trimEnd().split("\n");
      assert.equal(first, "shim", shell);
      assert.equal(path.split(":").filter((each) => each === join(boxDir, "shim")).length, 1, "once on PATH");
    }
  });
}

test("it is replaced as a whole: a resume adds nothing, and nothing else is left there", (t) => {
  const { dir, boxDir, file } = place(t, "repo");
  writeFileSync(file, "half a line that would break every comm'");
  writeSessionEnv(file, boxDir);
  const once = readFileSync(file, "utf8");
  writeSessionEnv(file, boxDir);
  assert.equal(readFileSync(file, "utf8"), once);
  assert.deepEqual(readdirSync(dir).sort(), ["env.sh", "repo"]);
});

test("Beads knows each session by a name of its own, behind the user's; once is as good as twice", (t) => {
  const { boxDir, file } = place(t, "repo");
  writeSessionEnv(file, boxDir, "3f2a91c0-1111-2222-3333-444444444444");
  const run = (shell: string, env: Record<string, string>, flags = "-c") => {
    const script = `. '${file}'; . '${file}'; sh -c 'echo "$BEADS_ACTOR"'`;
    return spawnSync(shell, [flags, script], { encoding: "utf8", env: { PATH: process.env["PATH"], ...env } })
      .stdout;
  };
  for (const shell of SHELLS) {
    assert.equal(
      run(shell, { BEADS_ACTOR: "kim@example.com", USER: "kim" }),
      "kim@example.com/sb-3f2a91c0\n",
    );
    assert.equal(run(shell, { USER: "kim" }, "-euc"), "kim/sb-3f2a91c0\n");
    assert.equal(run(shell, {}, "-euc"), "signalbox/sb-3f2a91c0\n");
    assert.equal(
      run(shell, { BEADS_ACTOR: "kim/sb-ada" }),
      "kim/sb-3f2a91c0\n",
      "started from another session",
    );
  }
});

test("a shim that is gone, or not to be run, is none; what ends the shell is not in it", (t) => {
  const { boxDir, file } = place(t, "repo");
  writeSessionEnv(file, boxDir);
  chmodSync(join(boxDir, "shim/git"), 0o644);
  const before = spawnSync("sh", ["-c", 'echo "$PATH"'], { encoding: "utf8" }).stdout;
  for (const flags of ["-c", "-ec", "-uc", "-euc"]) {
    const after = spawnSync("sh", [flags, `. '${file}'; echo "$PATH"`], { encoding: "utf8" });
    assert.equal(after.stdout, before, flags);
  }
});

test("a path that PATH cannot hold, and no file to write: nothing happens, and nothing breaks", (t) => {
  const { boxDir } = place(t, "repo");
  writeSessionEnv(undefined, boxDir);
  writeSessionEnv("", boxDir);
  for (const odd of ["/a:b/shim", "/a\nb/shim"]) {
    const { status, stdout } = spawnSync("sh", ["-c", sessionEnv(odd)], { encoding: "utf8" });
    assert.deepEqual([status, stdout], [0, ""]);
  }
});
