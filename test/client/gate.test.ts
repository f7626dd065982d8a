/** Which edits the gate is about: every edit tool, and files by where they really are. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { edit, finished, makeLab, meanwhile, read, write } from "./lab.ts";

const NOTEBOOK = JSON.stringify({
  cells: [{ id: "c1", cell_type: "code", source: ["1"], metadata: {}, outputs: [], execution_count: null }],
  metadata: {},
  nbformat: 4,
  nbformat_minor: 5,
});

// Else NotebookEdit is a deferred tool, which a script cannot call at once.
const NO_SEARCH = { ENABLE_TOOL_SEARCH: "false" };

function cell(source: string) {
  return {
    tool: "NotebookEdit",
    input: { notebook_path: "{{repo}}/n.ipynb", cell_id: "c1", new_source: source },
  };
}

test("Write and NotebookEdit are gated as Edit is", async (t) => {
  const lab = await makeLab(t, {
    files: { "a.txt": "one\n", "n.ipynb": NOTEBOOK },
    scripts: {
      alice: [
        ...edit("a.txt", "one", "one by alice"),
        write("new.txt", "new by alice\n"),
        read("n.ipynb"),
        cell("2"),
        { signal: "alice holds" },
        { wait: "bob is done" },
        { text: "alice is done" },
      ],
      bob: [
        read("a.txt"),
        write("a.txt", "all by bob\n"),
        read("new.txt"),
        write("new.txt", "new by bob\n"),
        read("n.ipynb"),
        cell("3"),
        write("sub/dir/own.txt", "bob\n"),
        // The model may name the path last; the shell keeps the head of the payload only.
        { tool: "Write", input: { content: "long\n".repeat(4000), file_path: "{{repo}}/long.txt" } },
        { signal: "bob is done" },
        { text: "bob is done" },
      ],
    },
  });
  const alice = lab.start("alice", { env: NO_SEARCH });
  await lab.api.waitFor("alice holds");
  await lab.run("bob", { env: NO_SEARCH });
  finished(await alice.done);

  assert.ok(lab.played("alice").every(({ isError }) => !isError));
  const [, a, , fresh, , notebook, own] = lab.played("bob");
  for (const [result, file] of [
    [a, "a.txt"],
    [fresh, "new.txt"],
    [notebook, "n.ipynb"],
  ] as const) {
    assert.equal(result!.isError, true, file);
    assert.ok(result!.text.includes(`${file} is reserved by session `), result!.text);
  }
  assert.equal(own!.isError, false, own!.text);
  assert.deepEqual(
    ["a.txt", "new.txt", "sub/dir/own.txt"].map((file) => lab.read(file)),
    ["one by alice\n", "new by alice\n", "bob\n"],
  );
  const { cells } = JSON.parse(lab.read("n.ipynb")) as { cells: { source: string | string[] }[] };
  assert.deepEqual([cells[0]?.source].flat(), ["2"]);
  const written = (await lab.storyOf("file.written")).map(({ tool, path }) => `${tool} ${path}`);
  assert.deepEqual(written.sort(), [
    "Edit a.txt",
    "NotebookEdit n.ipynb",
    "Write long.txt",
    "Write new.txt",
    "Write sub/dir/own.txt",
  ]);
});

test("a file counts by where it is: outside, elsewhere, in .git, ignored, behind a linked folder", async (t) => {
  const files = (who: string) => [
    write("{{dir}}/outside.txt", `${who}\n`),
    read("{{dir}}/plain/p.txt"),
    write("{{dir}}/plain/p.txt", `${who}\n`),
    read(".git/description"),
    write(".git/description", `${who}\n`),
    write("{{dir}}/guarded/new.txt", `${who}\n`),
    write("build/ignored.txt", `${who}\n`),
    write("link/new.txt", `${who}\n`),
  ];
  const lab = await makeLab(t, {
    files: { "real/a.txt": "one\n", ".gitignore": "build/\n" },
    scripts: {
      alice: [
        ...files("alice"),
        { signal: "alice holds" },
        { wait: "bob is done" },
        { text: "alice is done" },
      ],
      bob: [
        read("{{dir}}/outside.txt"),
        read("{{dir}}/guarded/new.txt"),
        read("build/ignored.txt"),
        read("real/new.txt"),
        read("link/new.txt"),
        ...files("bob"),
        write("real/new.txt", "bob\n"),
        meanwhile(async () => {
          elsewhere = (await lab.status(join(lab.scratch.dir, "guarded"))).sessions;
        }),
        { signal: "bob is done" },
        { text: "bob is done" },
      ],
    },
  });
  let elsewhere: Awaited<ReturnType<typeof lab.status>>["sessions"] = [];
  symlinkSync("real", join(lab.repo, "link"));
  for (const name of ["plain", "guarded"]) {
    mkdirSync(join(lab.scratch.dir, name));
    writeFileSync(join(lab.scratch.dir, name, "p.txt"), "p\n");
    await lab.mustSh(`git -C ../${name} init -q && git -C ../${name} add .`);
    await lab.mustSh(`git -C ../${name} -c user.name=t -c user.email=t@example.com commit -qm base`);
  }
  await lab.install(join(lab.scratch.dir, "guarded"));

  const alice = lab.start("alice");
  await lab.api.waitFor("alice holds");
  const { sessionId } = await lab.run("bob");
  finished(await alice.done);

  assert.ok(
    lab.played("alice").every(({ isError }) => !isError),
    JSON.stringify(lab.played("alice")),
  );
  const told = lab.played("bob").filter(({ tool }) => tool === "Write");
  assert.deepEqual(
    told.map(({ input, isError }) => [String(input["file_path"]).replace(lab.scratch.dir, ""), isError]),
    [
      ["/outside.txt", false],
      ["/plain/p.txt", false],
      ["/repo/.git/description", false],
      ["/guarded/new.txt", true],
      ["/repo/build/ignored.txt", true],
      ["/repo/link/new.txt", true],
      ["/repo/real/new.txt", true],
    ],
    JSON.stringify(told),
  );
  for (const [result, file] of [
    [told[3], "new.txt"],
    [told[4], "build/ignored.txt"],
    [told[5], "real/new.txt"],
  ] as const)
    assert.ok(result!.text.includes(`${file} is reserved by session `), result!.text);
  assert.equal(readFileSync(join(lab.scratch.dir, "guarded/new.txt"), "utf8"), "alice\n");
  assert.equal(readFileSync(join(lab.scratch.dir, "outside.txt"), "utf8"), "bob\n");

  const granted = (await lab.storyOf("reservation.granted")).flatMap((e) => e.targets);
  assert.deepEqual(granted.map((target) => ("path" in target ? target.path : "")).sort(), [
    "build/ignored.txt",
    "real/new.txt",
  ]);
  assert.deepEqual(
    elsewhere.map(({ id, holds }) => [id === sessionId, holds.map(({ target }) => target)]),
    [
      [false, ["new.txt"]],
      [true, []],
    ],
    "a session is made known where it works, and the other repository's log decides",
  );
  assert.deepEqual(lab.errors(), []);
});
