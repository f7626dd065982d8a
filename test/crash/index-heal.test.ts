/** An index whose heal is killed, or done by several at once. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { readBase, stagedPaths } from "../../src/adapters/git/index-file.ts";
import { type Lab, makeLab, nine, NINE } from "../support/heal-lab.ts";
import { environment } from "./children.ts";

const space = mkdtempSync(join(tmpdir(), "signalbox-heal-child-"));
after(() => rmSync(space, { recursive: true, force: true }));
const CHILD = join(space, "child.cjs");
buildSync({
  entryPoints: [fileURLToPath(new URL("../support/heal-child.ts", import.meta.url))],
  outfile: CHILD,
  bundle: true,
  format: "cjs",
  platform: "node",
  target: "node20",
});

const argsOf = (lab: Lab, mode: string, last: string) => [CHILD, mode, lab.gitDir, lab.top, last];
const entries = (lab: Lab) => lab.b("ls-files", "-s", "-t");
/** But for what a lock is made of, which goes when it is old. */
const leavings = (lab: Lab) =>
  readdirSync(lab.gitDir).filter((name) => /signalbox\.|\.lock$|base\.next/.test(name));

/** Everything that can happen to a path is in it: carried, merged, unmerged, file against folder, to be added. */
function eventful(t: TestContext, conflicts: boolean): Lab {
  const lab = makeLab(t, { files: { "a.txt": NINE, "b.txt": NINE, "c.txt": NINE, "d.txt": NINE } });
  lab.write("a.txt", nine({ 9: "bob" }));
  lab.write("n.txt", "new\n");
  lab.b("add", "a.txt", "n.txt");
  lab.b("rm", "-q", "--cached", "b.txt");
  if (conflicts) {
    lab.write("c.txt", nine({ 5: "bob" }));
    lab.write("dir", "bob\n");
    lab.b("add", "c.txt", "dir");
    rmSync(join(lab.top, "dir"));
    lab.commitA("c.txt", nine({ 5: "ada" }));
    lab.commitA("dir/x", "ada\n");
  }
  lab.commitA("a.txt", nine({ 2: "ada" }));
  lab.commitA("d.txt", "ada\n");
  return lab;
}

/** The gitdir as it was before, and what it has to be in the end. */
function rehearse(lab: Lab) {
  const saved = join(lab.dir, "saved");
  const base = readBase(lab.gitDir)!;
  const old = entries(lab);
  cpSync(lab.gitDir, saved, { recursive: true, preserveTimestamps: true });
  const args = argsOf(lab, "once", "0");
  const done = spawnSync(process.execPath, args, { encoding: "utf8", env: environment() });
  const { changes, healed } = JSON.parse(done.stdout) as { changes: number; healed: { kind: string } };
  assert.equal(healed.kind, "healed");
  const wanted = entries(lab);
  assert.notEqual(wanted, old);
  return {
    changes,
    restore() {
      rmSync(lab.gitDir, { recursive: true });
      cpSync(saved, lab.gitDir, { recursive: true, preserveTimestamps: true });
    },
    /** After a kill, and after the next heal. */
    check(when: string) {
      const now = entries(lab);
      assert.ok(now === old || now === wanted, `${when}: neither the old nor the new index: ${now}`);
      if (readBase(lab.gitDir) !== base) {
        assert.equal(readBase(lab.gitDir), lab.head());
        assert.equal(now, wanted, `${when}: the base is newer than the index`);
      }
      const healed = lab.heal();
      assert.match(healed.kind, /healed|current/, `${when}: ${JSON.stringify(healed)}`);
      assert.equal(entries(lab), wanted, when);
      assert.equal(readBase(lab.gitDir), lab.head(), when);
      assert.deepEqual(leavings(lab), [], when);
    },
  };
}

for (const conflicts of [false, true])
  test(`killed before each of its changes${conflicts ? ", with conflicts" : ""}`, (t) => {
    const lab = eventful(t, conflicts);
    const { changes, restore, check } = rehearse(lab);
    assert.ok(changes > 10);
    for (let n = 1; n <= changes; n++) {
      restore();
      const { signal } = spawnSync(process.execPath, argsOf(lab, "once", String(n)), { env: environment() });
      assert.equal(signal, "SIGKILL");
      check(`killed before change ${n} of ${changes}`);
    }
  });

test("killed at any time, and the git it runs with it", async (t) => {
  const lab = eventful(t, true);
  const { restore, check } = rehearse(lab);
  for (let n = 0; n < 25; n++) {
    restore();
    const child = spawn(process.execPath, argsOf(lab, "once", "0"), {
      env: environment(),
      detached: true,
      stdio: "ignore",
    });
    const ended = once(child, "exit");
    await sleep(30 + Math.random() * 60);
    try {
      process.kill(-child.pid!, "SIGKILL");
    } catch {
      // It was done already.
    }
    await ended;
    check(`round ${n}`);
  }
});

test("an unmerged path that was resolved after the kill is not asked about again", (t) => {
  const lab = eventful(t, true);
  const { changes, restore } = rehearse(lab);
  const wanted = entries(lab);
  let between = 0;
  for (let n = 1; n <= changes; n++) {
    restore();
    const old = readBase(lab.gitDir);
    spawnSync(process.execPath, argsOf(lab, "once", String(n)), { env: environment() });
    if (readBase(lab.gitDir) !== old || entries(lab) !== wanted) continue;
    between += 1;
    lab.heal();
    assert.equal(readBase(lab.gitDir), lab.head());
    lab.write("c.txt", nine({ 5: "resolved" }));
    lab.b("add", "c.txt");
    lab.b("rm", "-q", "--cached", "dir");
    assert.deepEqual(lab.heal(), { kind: "current" });
  }
  assert.ok(between > 0, "there is a moment between the two");
});

test("several heal, others commit, and it is staged meanwhile: nothing is lost", async (t) => {
  const lab = makeLab(t);
  const stop = join(lab.dir, "stop");
  const children = [1, 2, 3].map(() =>
    spawn(process.execPath, argsOf(lab, "loop", stop), {
      env: environment(),
      stdio: ["ignore", "pipe", "pipe"],
    }),
  );
  const errors: string[] = [];
  for (const child of children) child.stderr.on("data", (text: Buffer) => errors.push(text.toString()));
  const ends = children.map((child) => once(child, "exit"));
  await Promise.all(children.map((child) => once(child.stdout, "data")));
  const staged: string[] = [];
  for (let n = 0; n < 20; n++) {
    lab.commitA("a.txt", `${n}\n`);
    const name = `new-${String(n).padStart(2, "0")}.txt`;
    lab.write(name, `${n}\n`);
    // A lock of the heal's is seen by git as any other.
    for (let tries = 0; ; tries++) {
      const { status, stderr } = lab.tryB("add", name);
      if (status === 0) break;
      assert.match(stderr, /index\.lock/);
      assert.ok(tries < 1000);
    }
    staged.push(name);
    await sleep(1);
  }
  writeFileSync(stop, "");
  assert.deepEqual(
    (await Promise.all(ends)).map(([code]) => code as number),
    [0, 0, 0],
    errors.join(""),
  );
  assert.match(lab.heal().kind, /healed|current/);
  assert.deepEqual(stagedPaths(lab.at, lab.head()), staged);
  assert.deepEqual(leavings(lab), []);
  assert.ok(existsSync(join(lab.gitDir, "index")));
});

test("a lock that was left is broken by one of several", async (t) => {
  const lab = makeLab(t);
  lab.write("b.txt", "bob\n");
  lab.b("add", "b.txt");
  for (let round = 0; round < 5; round++) {
    lab.commitA("a.txt", `${round}\n`);
    // Killed as soon as it holds the lock.
    for (let n = 1; !existsSync(join(lab.gitDir, "index.lock")); n++) {
      const killed = spawnSync(process.execPath, argsOf(lab, "once", String(n)), { env: environment() });
      assert.equal(killed.signal, "SIGKILL");
    }
    const results = await Promise.all(
      [1, 2, 3, 4].map(async () => {
        const child = spawn(process.execPath, argsOf(lab, "once", "0"), {
          env: environment(),
          stdio: ["ignore", "pipe", "inherit"],
        });
        const [text] = (await once(child.stdout, "data")) as [Buffer];
        return (JSON.parse(text.toString()) as { healed: { kind: string } }).healed.kind;
      }),
    );
    assert.deepEqual(results.sort(), ["current", "current", "current", "healed"]);
    assert.deepEqual(stagedPaths(lab.at, lab.head()), ["b.txt"]);
    assert.deepEqual(leavings(lab), []);
  }
});
