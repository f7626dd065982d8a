/** The cleanup loops die, or their disk fails, at each of their own operations: nothing of anybody's is lost. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { CLEANUP, type Ground, sweepAll } from "../../src/app/sweep.ts";
import { type Fault, faulty } from "../support/faults.ts";
import { DAY, groundOf, leavings } from "../support/leavings.ts";
import type { ScratchRepo } from "../support/repo/mod.ts";

/** Leases go when history is archived; a renewed index counts as old until the log's own clock has gone on. */
const STAYS_DUE: ReadonlySet<string> = new Set(["reservations", "old indexes"]);
/** Every so manieth operation of reading fails in turn: there are a thousand. */
const STRIDE = 9;

const git = (cwd: string, ...args: string[]): string => {
  const { status, stdout, stderr } = spawnSync("git", ["-C", cwd, ...args], { encoding: "utf8" });
  assert.equal(status, 0, `git ${args.join(" ")}: ${stderr}`);
  return stdout;
};

/** Staged paths of a session: in its own index, or in what was saved of it. */
function stagedOf(repo: ScratchRepo, session: string): string[] {
  const own = join(repo.top, ".git/worktrees");
  const gitDir = existsSync(own)
    ? readdirSync(own).find((name) => name.endsWith(`sb-${session}`))
    : undefined;
  const inIndex =
    gitDir === undefined || !existsSync(join(own, gitDir, "index"))
      ? ""
      : git(
          repo.top,
          "--git-dir",
          join(own, gitDir),
          "--work-tree",
          repo.top,
          "diff",
          "--cached",
          "--name-only",
        );
  const refs = git(repo.top, "for-each-ref", "--format=%(refname)", `refs/signalbox/rescue/${session}`);
  const saved = refs
    .split("\n")
    .filter((ref) => ref !== "")
    .map((ref) => git(repo.top, "ls-tree", "-r", "--name-only", ref));
  return [inIndex, ...saved].join("\n").split("\n");
}

/** What is used, or somebody's work, whatever has happened. */
function assertNothingLost(repo: ScratchRepo, what: string): void {
  assert.ok(stagedOf(repo, "ada").includes("ada.txt"), `${what}: what ada has staged`);
  assert.ok(stagedOf(repo, "bob").includes("staged.txt"), `${what}: what bob had staged`);
  const refs = git(repo.top, "for-each-ref", "--format=%(refname)", "refs/signalbox");
  assert.match(refs, /rescue\/y\//, `${what}: the file that nobody committed`);
  assert.match(refs, /keep\//, `${what}: the commit that no branch has`);
  for (const path of ["views/live/ada", "spool/read/ada", "spool/bash/ada.toolu_1", "views/survey/main"])
    assert.ok(existsSync(join(repo.boxDir, path)), `${what}: ${path}`);
  assert.equal(readFileSync(repo.path("a.txt"), "utf8"), "saved and never committed\n");
}

/** A lock that names this process is held as long as it lives: in life it has ended by now. */
function disown(repo: ScratchRepo): void {
  const { pid } = spawnSync("true");
  for (const name of readdirSync(join(repo.top, ".git")).filter((each) => each.includes(".lock"))) {
    const file = join(repo.top, ".git", name);
    const text = readFileSync(file, "latin1");
    writeFileSync(file, text.replace(`signalbox ${process.pid} `, `signalbox ${pid} `));
  }
}

for (const fault of ["kill", "ENOSPC", "EIO"] as const satisfies readonly Fault[]) {
  test(`${fault} at each operation of each loop: the next run finishes it`, async (t) => {
    const repo = await leavings(t);
    const copy = join(repo.dir, "copy");
    spawnSync("cp", ["-a", repo.top, copy]);
    const fresh = (): Ground => {
      rmSync(repo.top, { recursive: true });
      assert.equal(spawnSync("cp", ["-a", copy, repo.top]).status, 0);
      return groundOf(repo, DAY + 3_600_000);
    };
    let points = 0;
    for (const loop of CLEANUP) {
      if (loop.sweep === undefined) continue;
      for (let at = 1, hit = true; hit; at += fault === "EIO" ? STRIDE : 1) {
        const what = `${loop.what}, ${fault} at operation ${at}`;
        const ground = fresh();
        // Git does not put a tree back beside somebody's lock; that row comes first in the table, too.
        if (loop.what === "half-moved trees")
          sweepAll(ground, { loops: CLEANUP.filter((each) => each.what === "locks of git's") });
        const done = faulty(fault, at, () => sweepAll(ground, { loops: [loop] }));
        ({ hit } = done);
        assert.ok(!(done.error instanceof TypeError), `${what}: ${String(done.error)}`);
        // Killed: another process. Otherwise the same one, when the disk is well again.
        const next = fault === "kill" ? groundOf(repo, DAY + 3_600_000) : ground;
        // Twice: what the first decision of the two puts on record makes more of it dead.
        for (const _ of [1, 2])
          for (const { failed } of sweepAll(next, { loops: [loop] })) assert.equal(failed, undefined, what);
        if (loop.what === "locks of git's" && loop.look(next).dead.length > 0) {
          disown(repo);
          sweepAll(next, { loops: [loop] });
        }
        if (!STAYS_DUE.has(loop.what)) assert.deepEqual(loop.look(next).dead, [], `${what}: finished`);
        assertNothingLost(repo, what);
        next.box.log.close();
        if (next !== ground) ground.box.log.close();
        points += 1;
      }
    }
    assert.ok(points > CLEANUP.length + 50, `${points} points`);
    t.diagnostic(`${points} points`);
  });
}
