/** Config, exclude and whole repositories: our part in and out, byte for byte. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import * as fc from "fast-check";
import { CLAUDE_HOOKS, GIT_HOOKS } from "../../hooks/manifest.ts";
import { install, uninstall } from "../../src/adapters/install/perform.ts";
import { ALIAS, configLines, withConfig, withoutConfig } from "../../src/app/install/git-config.ts";
import { split, terminated, withBlock, withoutBlock } from "../../src/app/install/marked-block.ts";
import { utf8 } from "../../src/app/install/model.ts";
import { cleanEnv } from "../support/repo/mod.ts";
import { snapshot } from "./install-snapshot.ts";

const root = realpathSync(mkdtempSync(join(tmpdir(), "signalbox-bytes-")));
after(() => rmSync(root, { recursive: true, force: true }));
for (const name of Object.keys(process.env))
  if (/^(GIT_|CLAUDE|SIGNALBOX)/.test(name)) delete process.env[name];
const env = cleanEnv(root);
Object.assign(process.env, env);
mkdirSync(env["TMPDIR"]!, { recursive: true });

const lines = configLines({ alias: true, hooks: GIT_HOOKS });
const config = fc
  .tuple(
    fc.array(
      fc.constantFrom(
        "[core]",
        "\tbare = false",
        "# note",
        "",
        '[remote "o"]',
        "\turl = x",
        "[alias]",
        "\tst = status",
        "\tlong = a \\",
        "x\r",
        "\u00C3\u00A9",
      ),
    ),
    fc.boolean(),
  )
  .map(([all, end]) => all.join("\n") + (end && all.length > 0 ? "\n" : ""));

test("any config and any exclude file: our block in and out", () => {
  fc.assert(
    fc.property(config, (bytes) => {
      const inside = withConfig(bytes, lines);
      assert.equal(withConfig(inside, lines), inside);
      assert.equal(withoutConfig(inside), terminated(bytes));
      assert.equal(withoutConfig(bytes), bytes);
      assert.equal(split(withBlock(bytes, "/x\n")).inside, "/x\n");
      assert.equal(withoutBlock(withBlock(bytes, "/x\n")), terminated(bytes));
    }),
  );
});

test("git reads from the config what was meant, and the commands refuse only with 1", () => {
  const file = join(root, "config");
  writeFileSync(file, withConfig("[core]\n\tbare = false\n\tlong = a \\", lines), "latin1");
  const get = (key: string) =>
    execFileSync("git", ["config", "--file", file, "-z", "--get", key], { encoding: "utf8" }).replace(
      /\0$/,
      "",
    );
  assert.equal(get("alias.signalbox"), ALIAS);
  assert.equal(get("core.long").trim(), "a");
  const repo = join(root, "config repo");
  execFileSync("git", ["init", "-q", repo]);
  const entry = join(repo, ".git/signalbox/bin/hook");
  for (const { name } of GIT_HOOKS) {
    assert.equal(get(`hook.signalbox-${name}.event`), name);
    // As git does it: the words are appended, sh runs it at the top of the working tree.
    const command = `${get(`hook.signalbox-${name}.command`)} "$@"`;
    const call = (more: Record<string, string> = {}) =>
      spawnSync("sh", ["-c", command, command, "an arg", "b"], {
        cwd: repo,
        env: { ...env, ...more },
        encoding: "utf8",
      });
    rmSync(join(repo, ".git/signalbox"), { recursive: true, force: true });
    assert.deepEqual([call().status, call().stderr], [0, ""], "not installed");
    mkdirSync(join(entry, ".."), { recursive: true });
    for (const [code, expected] of [
      [0, 0],
      [1, 1],
      [2, 0],
      [126, 0],
    ] as const) {
      writeFileSync(entry, `#!/bin/sh\nprintf '%s|' "$@" "$SIGNALBOX_GIT_PID"\nexit ${code}\n`);
      chmodSync(entry, 0o755);
      for (const more of [{}, { GIT_DIR: join(repo, ".git") }]) {
        const { status, stdout } = call(more);
        assert.equal(status, expected);
        assert.equal(stdout, `git|${name}|an arg|b|${process.pid}|`);
      }
    }
  }
});

test("any repository: init and uninstall leave every byte and mode as it was", () => {
  const indent = fc.constantFrom<string | number>(0, 1, 2, 4, "\t");
  const settings = fc
    .tuple(
      fc.record(
        {
          model: fc.string(),
          hooks: fc.dictionary(
            fc.constantFrom("Stop", "PreToolUse"),
            fc.constantFrom([], [{ hooks: [{ type: "command", command: "x" }] }]),
          ),
          env: fc.jsonValue({ maxDepth: 1 }),
        },
        { requiredKeys: [] },
      ),
      indent,
      fc.boolean(),
      fc.boolean(),
      fc.constantFrom("", "\n", "\r\n"),
    )
    .map(([value, space, crlf, bom, end]) => {
      const text = JSON.stringify(value, undefined, space);
      return `${bom ? "\uFEFF" : ""}${crlf ? text.replaceAll("\n", "\r\n") : text}${end}`;
    });
  const hook = fc.record({
    first: fc.constantFrom("", "#!/bin/sh\n", "#!/bin/bash\r\n", "#!/usr/bin/perl\n", "\0"),
    body: fc.constantFrom("", "exit 0", "exec true\n", "echo \u00E9\r\n", "#!/bin/sh"),
    mode: fc.constantFrom(0o755, 0o644, 0o700),
  });
  const repository = fc.record(
    {
      local: settings,
      shared: settings,
      exclude: fc.constantFrom("", "a", "a\n", "\r\n"),
      config,
      hooks: fc.dictionary(fc.constantFrom(...GIT_HOOKS.map(({ name }) => name)), hook),
      mode: fc.constantFrom("local" as const, "shared" as const, "plugin" as const),
    },
    { requiredKeys: ["mode", "hooks"] },
  );
  const assets = {
    version: "1",
    home: root,
    template: "#!/bin/sh\n",
    shim: "#!/bin/sh\n",
    hookBundle: "",
    commandBundle: "",
  };
  const hooks = { claude: CLAUDE_HOOKS, git: GIT_HOOKS };
  let made = 0;
  fc.assert(
    fc.property(repository, (wanted) => {
      const cwd = join(root, `repo ${(made += 1)}`);
      execFileSync("git", ["init", "-q", cwd]);
      const write = (name: string, bytes: string | undefined, mode = 0o644) => {
        if (bytes === undefined) return;
        mkdirSync(join(cwd, name, ".."), { recursive: true });
        writeFileSync(join(cwd, name), Buffer.from(bytes, "latin1"));
        chmodSync(join(cwd, name), mode);
      };
      write(".claude/settings.local.json", wanted.local === undefined ? undefined : utf8(wanted.local));
      write(".claude/settings.json", wanted.shared === undefined ? undefined : utf8(wanted.shared));
      write(".git/info/exclude", wanted.exclude);
      for (const [name, { first, body, mode }] of Object.entries(wanted.hooks))
        write(`.git/hooks/${name}`, first + body, mode);
      const extra = (wanted.config ?? "").replaceAll(/^[^[#\t\n].*$|^\tst.*|^\turl.*|^\tlong.*/gm, "");
      write(
        ".git/config",
        `[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n${extra.replaceAll(/^\tbare.*/gm, "")}`,
      );
      const before = snapshot(cwd);
      install({ cwd, hooks, assets, claude: wanted.mode });
      assert.deepEqual(install({ cwd, hooks, assets }).changes, []);
      install({ cwd, hooks, assets: { ...assets, version: "2", hookBundle: "x" } });
      uninstall({ cwd, hooks, purge: true });
      assert.deepEqual(snapshot(cwd), before);
      rmSync(cwd, { recursive: true });
    }),
    { numRuns: 40 },
  );
});
