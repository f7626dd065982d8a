/**
 * A working tree with two indexes: a person's (A, the repository's own gitdir) and a session's (B, a private gitdir
 * on the same branch). Real git, no hook, nothing installed; synchronous, as what is tested is.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Heal, type HealOptions, healIndex, writeBase } from "../../src/adapters/git/index-file.ts";
import { cleanEnv } from "./repo/environment.ts";

// What is tested runs git in this process's environment.
for (const name of Object.keys(process.env)) if (/^(?:GIT_|SIGNALBOX)/.test(name)) delete process.env[name];
for (const [name, value] of Object.entries(cleanEnv("/nonexistent")))
  if (name.startsWith("GIT_") || name === "LC_ALL") process.env[name] = value;

export const NINE = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";

export interface Done {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Lab {
  readonly dir: string;
  readonly top: string;
  /** A's gitdir: the repository's own. */
  readonly common: string;
  /** B's. */
  readonly gitDir: string;
  readonly at: { readonly gitDir: string; readonly workTree: string };
  /** Git as A; throws if it fails. Output in latin1, trimmed at the end. */
  a(...args: string[]): string;
  /** Git as B; throws if it fails. */
  b(...args: string[]): string;
  tryB(...args: string[]): Done;
  run(env: Readonly<Record<string, string>>, args: readonly string[], input?: string): Done;
  write(name: string, text: string): void;
  read(name: string): string;
  /** A changes, stages and commits a file; without a text, deletes it. */
  commitA(name: string, text?: string): string;
  head(): string;
  heal(options?: HealOptions): Heal;
  env: Record<string, string>;
}

export interface LabOptions {
  readonly files?: Readonly<Record<string, string>>;
  readonly initArgs?: readonly string[];
  /** Run as A between the first commit and the seeding of B. */
  readonly setup?: (lab: Lab) => void;
}

/** Made in `dir` of the system's temporary files; `after` removes it. */
export function makeLab(cleaner: { after(fn: () => void): void }, options: LabOptions = {}): Lab {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), "signalbox-heal-")));
  cleaner.after(() => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }));
  const top = join(dir, "repo");
  const common = join(top, ".git");
  const gitDir = join(common, "worktrees", "sb-b");
  const env = cleanEnv(dir);
  const forB = { GIT_DIR: gitDir, GIT_WORK_TREE: top };
  mkdirSync(top);
  const lab: Lab = {
    dir,
    top,
    common,
    gitDir,
    env,
    at: { gitDir, workTree: top },
    a: (...args) => succeed(args, lab.run({}, args)),
    b: (...args) => succeed(args, lab.run(forB, args)),
    tryB: (...args) => lab.run(forB, args),
    run(extra, args, input = "") {
      const { status, stdout, stderr, error } = spawnSync("git", args, {
        cwd: top,
        env: { ...env, ...extra },
        input: Buffer.from(input, "latin1"),
        encoding: "latin1",
        maxBuffer: 1 << 28,
      });
      if (error) throw error;
      return { status, stdout, stderr };
    },
    write(name, text) {
      mkdirSync(dirname(join(top, name)), { recursive: true });
      writeFileSync(join(top, name), text);
    },
    read: (name) => readFileSync(join(top, name), "utf8"),
    commitA(name, text) {
      if (text === undefined) lab.a("rm", "-q", "--cached", "--", name);
      else {
        lab.write(name, text);
        lab.a("add", "--", name);
      }
      lab.a("commit", "-qm", `A: ${name}`);
      return lab.head();
    },
    head: () => lab.a("rev-parse", "HEAD"),
    heal: (healOptions) => healIndex(lab.at, healOptions),
  };
  lab.a("init", "-q", "-b", "main", ...(options.initArgs ?? []));
  for (const [name, text] of Object.entries(options.files ?? { "a.txt": NINE, "b.txt": NINE, "c.txt": NINE }))
    lab.write(name, text);
  lab.a("add", "-A");
  lab.a("commit", "-qm", "C0", "--allow-empty");
  options.setup?.(lab);
  addGitdir(lab);
  return lab;
}

/** A linked-worktree entry over the same tree, on the same branch, its index at HEAD. */
function addGitdir(lab: Lab): void {
  mkdirSync(lab.gitDir, { recursive: true });
  mkdirSync(join(lab.dir, "stub"));
  writeFileSync(join(lab.gitDir, "commondir"), "../..\n");
  writeFileSync(join(lab.gitDir, "gitdir"), `${join(lab.dir, "stub", ".git")}\n`);
  writeFileSync(join(lab.gitDir, "locked"), "test\n");
  writeFileSync(join(lab.gitDir, "HEAD"), "ref: refs/heads/main\n");
  lab.b("read-tree", "HEAD");
  lab.tryB("update-index", "-q", "--refresh");
  writeBase(lab.gitDir, lab.head());
}

function succeed(args: readonly string[], { status, stdout, stderr }: Done): string {
  if (status !== 0) throw new Error(`git ${args.join(" ")} ended with ${status}: ${stderr}${stdout}`);
  return stdout.trimEnd();
}

/** A text of nine lines with some of them replaced. */
export function nine(lines: Readonly<Record<number, string>>): string {
  return NINE.replaceAll(/\d/g, (n) => lines[Number(n)] ?? n);
}
