import assert from "node:assert/strict";
import {
  appendFileSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { boxDirOf, openBox } from "../../src/adapters/box.ts";
import { survey } from "../../src/adapters/git/survey.ts";
import { attributionFiles } from "../../src/adapters/survey-file.ts";
import { arriveSession } from "../../src/app/attendance.ts";
import { attributeCommand, attributeOnArrival } from "../../src/app/attribution.ts";
import { type Box, decide, look } from "../../src/app/box.ts";
import { openLog } from "../../src/log/mod.ts";
import { gateEdit } from "../../src/app/edit-gate.ts";
import { ownersOf } from "../../src/domain/ownership.ts";
import { event } from "../../events/mod.ts";
import { makeScratch, ofType, readEvents, type ScratchRepo } from "../support/repo/mod.ts";

/** A moment, so that what comes next has another time on any file system. */
const pause = (ms = 25) => new Promise((done) => setTimeout(done, ms));

interface Scene {
  readonly repo: ScratchRepo;
  readonly box: Box;
  readonly files: ReturnType<typeof attributionFiles>;
  /** Runs a command of a session: the window is open while `what` runs. */
  readonly command: (
    session: string,
    what: () => unknown,
    more?: { background?: boolean },
  ) => Promise<string>;
  readonly begin: (session: string, call: string) => Promise<void>;
  readonly end: (session: string, call: string, command?: string) => Promise<string>;
  readonly arrive: (session: string) => void;
  readonly edit: (session: string, path: string) => void;
  readonly owner: (path: string, session: string) => string;
}

async function scene(
  t: Parameters<typeof makeScratch>[0],
  sessions = ["ada", "bob"],
  files?: Record<string, string>,
): Promise<Scene> {
  const repo = await makeScratch(t, { install: false, ...(files === undefined ? {} : { files }) });
  const dir = boxDirOf(join(repo.top, ".git"));
  for (const name of ["seen", "wrote", "checked", "bash"])
    mkdirSync(join(dir, "spool", name), { recursive: true });
  openLog({ dir: join(dir, "log"), projections: [], create: true }).close();
  const box = openBox(dir, repo.top);
  t.after(() => box.log.close());
  const kept = attributionFiles(dir);
  const caller = (session: string) => ({ session, kind: "claude-code", tree: "", cwd: repo.top });
  const ground = { files: kept, survey: (known: Iterable<string>) => survey({ top: repo.top }, known) };
  const arrive = (session: string) => {
    arriveSession(box, caller(session), "startup");
    attributeOnArrival(box, { session, tree: "" }, ground);
  };
  let calls = 0;
  const begin = async (session: string, call: string) => {
    await pause();
    kept.begin(session, call, false);
    await pause();
  };
  const end = async (session: string, call: string, command = "make", background = false) => {
    await pause();
    return attributeCommand(box, { caller: caller(session), call, command, background }, ground);
  };
  for (const session of sessions) arrive(session);
  return {
    repo,
    box,
    files: kept,
    begin,
    end,
    arrive,
    async command(session, what, { background = false } = {}) {
      const call = `c${(calls += 1)}`;
      await begin(session, call);
      await what();
      return end(session, call, "make", background);
    },
    edit(session, path) {
      assert.equal(gateEdit(box, caller(session), path).kind, "go");
      repo.write(path, `edited by ${session} ${Math.random()}\n`);
      decide(box, session, () => ({
        events: [event("file.written", { session, tree: "", path, tool: "Edit", at: Date.now() })],
        result: undefined,
      }));
    },
    owner(path, session) {
      const { states, now, gone } = look(box);
      const found = ownersOf(states, { tree: "", paths: [path], session, now, gone }).get(path)!;
      return found.kind === "session" ? found.session : found.kind;
    },
  };
}

const events = ({ box }: Scene) => readEvents(box.dir);
const attributedIn = (s: Scene) =>
  ofType(events(s), "work.attributed").map(
    ({ session, certainty, paths }) => `${session} ${certainty} ${paths.join(",")}`,
  );

describe("what a command changed", () => {
  test("is its session's, and reserved; nothing is said", async (t) => {
    const s = await scene(t);
    const note = await s.command("ada", () => {
      s.repo.write("a.txt", "changed\n");
      s.repo.write("new/file.txt", "new\n");
      rmSync(s.repo.path("b.txt"));
    });
    assert.equal(note, "");
    for (const path of ["a.txt", "new/file.txt", "b.txt"]) {
      assert.equal(s.owner(path, "ada"), "mine", path);
      assert.equal(s.owner(path, "bob"), "ada", path);
    }
    const [granted, ...more] = ofType(events(s), "reservation.granted");
    assert.deepEqual([granted?.via, granted?.mode, more.length], ["effect", "exclusive", 0]);
  });

  test("once: the next command that changes nothing finds nothing", async (t) => {
    const s = await scene(t);
    await s.command("ada", () => s.repo.write("a.txt", "changed\n"));
    const before = events(s).length;
    await s.command("bob", () => undefined);
    await s.command("ada", () => undefined);
    assert.equal(events(s).length, before);
  });

  test("before it ran, and after it had ended, is not its", async (t) => {
    const s = await scene(t);
    s.repo.write("a.txt", "by a person\n");
    await s.command("ada", () => undefined);
    s.repo.write("b.txt", "by a person\n");
    await s.command("ada", () => undefined);
    assert.equal(s.owner("a.txt", "ada"), "unknown");
    assert.equal(s.owner("b.txt", "ada"), "unknown");
    assert.deepEqual(attributedIn(s), []);
  });

  test("is seen whatever time the program gave the file", async (t) => {
    const s = await scene(t);
    await s.command("ada", () => {
      s.repo.write("a.txt", "changed\n");
      utimesSync(s.repo.path("a.txt"), 1, 1);
      s.repo.write("b.txt", "changed\n");
      utimesSync(s.repo.path("b.txt"), 4e9, 4e9);
    });
    assert.equal(s.owner("a.txt", "ada"), "mine");
    assert.equal(s.owner("b.txt", "ada"), "mine");
  });

  test("moved or linked into place is changed", async (t) => {
    const s = await scene(t);
    const outside = join(s.repo.dir, "outside");
    writeFileSync(outside, "made before\n");
    await s.command("ada", () => {
      linkSync(outside, s.repo.path("linked.txt"));
      renameSync(s.repo.path("a.txt"), s.repo.path("moved.txt"));
    });
    for (const path of ["linked.txt", "moved.txt", "a.txt"]) assert.equal(s.owner(path, "ada"), "mine", path);
  });

  test("under hostile names", async (t) => {
    const s = await scene(t);
    const names = ["with space", "new\nline", "ü", "__proto__", "-dash", "a:b", "tab\there", "constructor"];
    await s.command("ada", () => {
      for (const name of names) s.repo.write(name, "x\n");
    });
    for (const name of names) assert.equal(s.owner(name, "ada"), "mine", name);
    const before = events(s).length;
    await s.command("bob", () => undefined);
    assert.equal(events(s).length, before);
  });

  test("what an edit tool wrote meanwhile is the edit tool's session's", async (t) => {
    const s = await scene(t);
    const note = await s.command("ada", async () => {
      s.edit("bob", "a.txt");
      await pause();
    });
    assert.equal(note, "");
    assert.equal(s.owner("a.txt", "bob"), "mine");
    assert.deepEqual(attributedIn(s), []);
  });

  test("an edit tool's report that is on its way is waited for", async (t) => {
    const s = await scene(t);
    await s.begin("ada", "c1");
    assert.equal(
      gateEdit(s.box, { session: "bob", kind: "x", tree: "", cwd: s.repo.top }, "a.txt").kind,
      "go",
    );
    s.repo.write("a.txt", "by bob\n");
    await pause();
    const payload = { session_id: "bob", tool_name: "Edit", tool_input: { file_path: s.repo.path("a.txt") } };
    const { spool } = s.box.ports;
    let looks = 0;
    const drain = () => {
      const found = spool.drain();
      if ((looks += 1) === 3)
        writeFileSync(join(s.box.dir, "spool", "wrote", "bob.1.0"), JSON.stringify(payload));
      return found;
    };
    const box = { ...s.box, ports: { ...s.box.ports, spool: { ...spool, drain } } };
    const caller = { session: "ada", kind: "x", tree: "", cwd: s.repo.top };
    const ended = { caller, call: "c1", command: "make", background: false };
    const ground = {
      files: s.files,
      survey: (known: Iterable<string>) => survey({ top: s.repo.top }, known),
    };
    assert.equal(attributeCommand(box, ended, ground), "");
    assert.deepEqual(attributedIn(s), []);
  });
});

describe("what is another's", () => {
  test("stays so when a command wrote over it; both are told", async (t) => {
    const s = await scene(t);
    s.edit("bob", "a.txt");
    const note = await s.command("ada", () => appendFileSync(s.repo.path("a.txt"), "formatted\n"));
    assert.match(note, /a\.txt changed on disk, which session bob has reserved/);
    assert.deepEqual(attributedIn(s), ["ada sure a.txt"]);
    assert.equal(s.owner("a.txt", "bob"), "mine");
    assert.equal(s.owner("a.txt", "ada"), "bob");
    assert.equal(look(s.box).states.notices.inbox["bob"]?.[0]?.what, "a.txt");
  });

  test("is told of at the end of the command that did it, whoever looked before", async (t) => {
    const s = await scene(t);
    s.edit("ada", "a.txt");
    await s.begin("bob", "b1");
    appendFileSync(s.repo.path("a.txt"), "by bob\n");
    assert.equal(await s.command("ada", () => undefined), "");
    assert.match(await s.end("bob", "b1"), /a\.txt changed on disk, which session ada has reserved/);
  });

  test("its new file deleted, its change undone", async (t) => {
    const s = await scene(t);
    s.edit("bob", "a.txt");
    s.edit("bob", "new.txt");
    await s.command("bob", () => undefined);
    const note = await s.command("ada", async () => {
      rmSync(s.repo.path("new.txt"));
      await s.repo.mustGit("checkout", "-q", "a.txt");
    });
    assert.match(note, /a\.txt, new\.txt changed|new\.txt, a\.txt changed/);
  });

  test("committed by its session is no loss", async (t) => {
    const s = await scene(t);
    s.edit("bob", "a.txt");
    await s.command("bob", () => undefined);
    assert.equal(await s.command("ada", () => s.repo.mustGit("commit", "-qam", "x")), "");
  });

  test("one free file among those held is reserved all the same", async (t) => {
    const s = await scene(t);
    s.edit("bob", "a.txt");
    await s.command("ada", () => {
      s.repo.write("a.txt", "x\n");
      s.repo.write("b.txt", "x\n");
    });
    assert.equal(s.owner("b.txt", "ada"), "mine");
  });
});

describe("when commands overlap", () => {
  test("a change in both is said to be unclear, reserved for nobody, and recorded once", async (t) => {
    const s = await scene(t);
    await s.begin("bob", "b1");
    const note = await s.command("ada", () => s.repo.write("a.txt", "x\n"));
    assert.match(note, /a\.txt changed while commands of several sessions ran/);
    assert.equal(await s.end("bob", "b1"), "");
    assert.deepEqual(attributedIn(s).sort(), ["ada ambiguous a.txt", "bob ambiguous a.txt"]);
    assert.deepEqual(ofType(events(s), "reservation.granted"), []);
  });

  test("a change of what one of them has is that one's", async (t) => {
    const s = await scene(t);
    await s.command("bob", () => s.repo.write("a.txt", "x\n"));
    await s.begin("ada", "a1");
    assert.equal(await s.command("bob", () => s.repo.write("a.txt", "y\n")), "");
    assert.equal(await s.end("ada", "a1"), "");
    assert.equal(s.owner("a.txt", "bob"), "mine");
    assert.deepEqual(attributedIn(s), []);
  });

  test("a change in one of them alone is that one's, whoever looks first", async (t) => {
    const s = await scene(t);
    await s.begin("bob", "b1");
    s.repo.write("a.txt", "by bob\n");
    await s.command("ada", () => s.repo.write("b.txt", "x\n"));
    assert.equal(s.owner("a.txt", "bob"), "mine");
    assert.equal(await s.end("bob", "b1"), "");
    assert.equal(s.owner("a.txt", "bob"), "mine");
    assert.equal(s.owner("b.txt", "bob"), "unknown");
  });

  test("one in the background explains only what no other does, and not for sure", async (t) => {
    const s = await scene(t);
    await s.command("bob", () => undefined, { background: true });
    await s.command("ada", () => s.repo.write("a.txt", "x\n"));
    assert.equal(s.owner("a.txt", "ada"), "mine");
    await pause();
    s.repo.write("b.txt", "by the server, or a person\n");
    await s.command("bob", () => undefined);
    assert.equal(s.owner("b.txt", "bob"), "unknown");
    assert.deepEqual(attributedIn(s), ["bob ambiguous b.txt"]);
  });
});

describe("shared files and many files", () => {
  test("a lockfile is shared by all who changed it", async (t) => {
    const s = await scene(t);
    const lock = "packages/x/package-lock.json";
    await s.command("ada", () => s.repo.write(lock, "{}\n"));
    assert.equal(await s.command("bob", () => s.repo.write(lock, "{ }\n")), "");
    assert.equal(s.owner(lock, "ada"), "mine");
    assert.equal(s.owner(lock, "bob"), "mine");
  });

  test("a formatter over 500 files: on record, none reserved, said; the log stays small", async (t) => {
    const s = await scene(t);
    const before = events(s).length;
    const note = await s.command("ada", () => {
      for (let i = 0; i < 500; i += 1) s.repo.write(`src/f${i}.txt`, "x\n");
    });
    assert.match(note, /changed 500 files/);
    assert.equal(events(s).length - before, 3);
    assert.deepEqual(ofType(events(s), "reservation.granted"), []);
  });

  test("thousands of untracked files are their directory, and that is said once", async (t) => {
    const s = await scene(t);
    const note = await s.command("ada", () => {
      for (let i = 0; i < 2100; i += 1) s.repo.write(`vendor/f${i}.txt`, "x\n");
      s.repo.write("a.txt", "x\n");
    });
    assert.match(note, /below vendor\//);
    assert.equal(s.owner("a.txt", "ada"), "mine");
    assert.equal(await s.command("ada", () => undefined), "");
  });
});

describe("whoever was alone", () => {
  test("may have made what is there when a second one comes; what its edits made is known", async (t) => {
    const s = await scene(t, []);
    s.repo.write("before.txt", "a person's\n");
    await pause();
    s.arrive("ada");
    await pause();
    s.repo.write("a.txt", "x\n");
    s.edit("ada", "b.txt");
    s.arrive("bob");
    assert.deepEqual(attributedIn(s), ["ada ambiguous a.txt"]);
    const before = events(s).length;
    s.arrive("eve");
    await s.command("bob", () => undefined);
    assert.deepEqual(attributedIn(s).length, 1);
    assert.equal(events(s).length, before + 1);
  });
});

describe("a survey", () => {
  test("is not made where nobody else is", async (t) => {
    const s = await scene(t, ["ada"]);
    await s.begin("ada", "a1");
    const caller = { session: "ada", kind: "x", tree: "", cwd: s.repo.top };
    const ended = { caller, call: "a1", command: "make", background: false };
    const never = () => assert.fail("surveyed");
    assert.equal(attributeCommand(s.box, ended, { files: s.files, survey: never }), "");
    assert.deepEqual(s.files.windows(), []);
  });

  test("through an index that is behind HEAD: what others committed is no finding", async (t) => {
    const s = await scene(t);
    const index = s.repo.path(".git/index");
    const old = readFileSync(index);
    s.repo.write("a.txt", "committed\n");
    s.repo.write("added.txt", "committed\n");
    await s.repo.mustGit("add", "-A");
    await s.repo.mustGit("commit", "-qm", "x");
    writeFileSync(index, old);
    s.repo.write("b.txt", "changed\n");
    assert.match(await s.repo.mustGit("status", "--porcelain"), /a\.txt[^]*added\.txt/);
    assert.deepEqual([...survey({ top: s.repo.top }).paths.keys()], ["b.txt"]);
  });

  test("takes no lock and writes no index", async (t) => {
    const s = await scene(t);
    s.repo.write("a.txt", "changed\n");
    writeFileSync(s.repo.path(".git/index.lock"), "");
    assert.equal(survey({ top: s.repo.top }).paths.size, 1);
  });

  test("a command that only reads costs none", async (t) => {
    const s = await scene(t);
    await s.begin("ada", "a1");
    const caller = { session: "ada", kind: "x", tree: "", cwd: s.repo.top };
    const ended = { caller, call: "a1", command: "git status && ls -la | head", background: false };
    const never = () => assert.fail("surveyed");
    assert.equal(attributeCommand(s.box, ended, { files: s.files, survey: never }), "");
    assert.deepEqual(s.files.windows(), []);
  });
});
