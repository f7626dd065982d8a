/**
 * The commit gate in every mode of `git commit`: githooks(5) pre-commit, and what stands in GIT_INDEX_FILE. By the git
 * that is on everybody's PATH: what a session's shim does not see.
 */
import assert from "node:assert/strict";
import { copyFileSync, existsSync, rmSync } from "node:fs";
import { test, type TestContext } from "node:test";
import { COMMIT_MODES, type CommitMode } from "../support/repo/commit-modes.ts";
import { must, run, type ScratchRepo } from "../support/repo/mod.ts";

for (const mode of COMMIT_MODES) {
  test(`commit ${mode.name}: refused for a session exactly when another live one holds a path of it`, (t) =>
    play(t, mode));
}

async function play(t: TestContext, mode: CommitMode): Promise<void> {
  const { repo, tree } = await mode.make(t);
  const person = { cwd: tree, env: repo.env };
  const ada = (await repo.startSession("ada")).at({ cwd: tree });
  const bob = (await repo.startSession("bob")).at({ cwd: tree });
  await mode.prepare(repo, tree);
  const before = await headOf(repo, tree);
  const gitDir = (await must("git", ["rev-parse", "--absolute-git-dir"], person)).trim();
  const files = ["index", "signalbox-base"].map((name) => `${gitDir}/${name}`);
  const there = files.filter((file) => existsSync(file));
  for (const file of there) copyFileSync(file, `${file}.before`);
  const undo = async () => {
    await resetTo(repo, tree, before);
    for (const file of files)
      if (there.includes(file)) copyFileSync(`${file}.before`, file);
      else rmSync(file, { force: true });
  };

  await ada.ask("elsewhere.txt");
  for (const path of mode.paths) await bob.ask(path);
  const free = await mode.commit({ cwd: tree, env: bob.env });
  assert.equal(free.code, 0, `nobody holds its paths: ${free.stderr}`);
  assert.equal(free.stderr, "");
  assert.deepEqual(new Set(await committed(repo, tree)), new Set(mode.paths));
  await undo();
  await repo.mustSignalbox("release", "--session", "bob", "--all");

  for (const path of mode.paths) {
    assert.equal((await ada.ask(path)).denied, undefined);
    const refused = await mode.commit({ cwd: tree, env: bob.env });
    assert.equal(refused.code, 1);
    assert.equal(await headOf(repo, tree), before, "nothing was committed");
    if (mode.sweeps === true) {
      assert.match(refused.stderr, /left out: .* \(session ada, reserved since \d\d:\d\d\)/);
      const event = repo.eventsOf("commit.scoped").at(-1);
      assert.deepEqual([event?.session, event?.paths], ["bob", [path]]);
    } else {
      assert.match(refused.stderr, /reserved by session ada since \d\d:\d\d .*until \d\d:\d\d/);
      assert.match(refused.stderr, /git restore --staged -- /);
      const event = repo.eventsOf("commit.refused").at(-1);
      assert.deepEqual([event?.session, event?.blockers.map((b) => b.session)], ["bob", ["ada"]]);
      assert.deepEqual(event?.paths, [path], "as git has them");
    }

    const warned = await mode.commit(person);
    assert.equal(warned.code, 0, "a person is never blocked");
    assert.match(
      warned.stderr,
      /^signalbox: committed, though a live session has reserved: .* \(session ada\)\n$/,
    );
    assert.deepEqual(repo.eventsOf("commit.warned").at(-1)?.paths, [path]);
    await undo();
    if (path !== mode.paths.at(-1)) await repo.mustSignalbox("release", "--session", "ada", "--all");
  }

  for (const path of mode.paths) assert.equal((await ada.ask(path)).denied, undefined);
  const own = await mode.commit({ cwd: tree, env: ada.env });
  assert.equal(own.code, 0, `its own: ${own.stderr}`);
  assert.equal(own.stderr, "");
  const recorded = repo.eventsOf("commit.recorded").at(-1);
  assert.equal(recorded?.session, "ada");
  assert.equal(recorded?.commit, await headOf(repo, tree));
  assert.deepEqual(new Set(recorded?.paths), new Set(mode.paths));
  const released = repo.eventsOf("reservation.released").at(-1);
  assert.equal(released?.reason, "committed");
  assert.deepEqual(
    new Set(released?.targets.map((target) => (target.kind === "path" ? target.path : ""))),
    new Set(mode.paths.map((path) => path.normalize("NFC"))),
  );
}

async function headOf({ env }: ScratchRepo, tree: string): Promise<string> {
  const { code, stdout } = await run("git", ["rev-parse", "-q", "--verify", "HEAD"], { cwd: tree, env });
  return code === 0 ? stdout.trim() : "";
}

async function resetTo({ env }: ScratchRepo, tree: string, commit: string): Promise<void> {
  const args = commit === "" ? ["update-ref", "-d", "HEAD"] : ["update-ref", "HEAD", commit];
  await must("git", args, { cwd: tree, env });
}

async function committed({ env }: ScratchRepo, tree: string): Promise<string[]> {
  const args = ["log", "-1", "-z", "--format=", "--name-only", "--no-renames", "--root"];
  const out = await must("git", args, { cwd: tree, env });
  return out.split("\0").filter((path) => path !== "");
}
