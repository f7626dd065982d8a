/**
 * A busy repository over many days, under a fake clock: sessions by the real use cases on a real log, real spool and
 * real git, a share of them killed, some in the middle of a hook, and the cleanup killed now and then too.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { event } from "../../events/mod.ts";
import { openBox } from "../../src/adapters/box.ts";
import { worktreesOf } from "../../src/adapters/git/worktrees.ts";
import { gitdirsOf, treeAt } from "../../src/adapters/git/gitdirs.ts";
import { listRescues } from "../../src/adapters/git/rescue.ts";
import { findRepo } from "../../src/adapters/locate.ts";
import { sweepGround } from "../../src/adapters/sweep-ground.ts";
import { arriveSession, type Caller, leaveSession } from "../../src/app/attendance.ts";
import { type Box, decide, look } from "../../src/app/box.ts";
import { claimTask } from "../../src/app/claim.ts";
import { compactLog, isCompactionDue } from "../../src/app/compact.ts";
import { gateEdit } from "../../src/app/edit-gate.ts";
import { requestHandoff } from "../../src/app/handoff.ts";
import { isolate, retire } from "../../src/app/isolation.ts";
import { sweepAll } from "../../src/app/sweep.ts";
import { deliverNotices } from "../../src/app/turn.ts";
import { joinQueue } from "../../src/app/wait.ts";
import { release } from "../../src/domain/reservations.ts";
import type { ProcessId } from "../../src/domain/sessions.ts";
import { faulty, Killed } from "./faults.ts";
import { editPayload } from "./repo/payload.ts";
import { type Random, randomOf } from "./scenario/random.ts";

export const DAY_MS = 24 * 3_600_000;

export interface Plan {
  readonly days: number;
  /** Sessions that begin in a day, and how many are there at a time. */
  readonly sessions: number;
  readonly crew: number;
  readonly edits: number;
  /** Of so many sessions one is killed and never says goodbye. */
  readonly killed: number;
  /** Sessions a day with an index of their own in real git: one ends, the others are killed with work staged. */
  readonly indexes: number;
  readonly seed: number;
}

/** What there is of everything that could grow. */
export interface Size {
  readonly day: number;
  readonly records: number;
  readonly live: number;
  /** In the box, archives left out. */
  readonly files: number;
  readonly bytes: number;
  readonly archives: number;
  readonly archiveBytes: number;
  readonly snapshotBytes: number;
  readonly gitdirs: number;
  readonly refs: number;
  /** Rescue refs whose work somebody has committed since, and those that nobody has. */
  readonly unsaved: number;
}

interface Member {
  readonly caller: Caller;
  edits: number;
  calls: number;
  isolated: boolean;
}

export class Years {
  readonly plan: Plan;
  readonly top: string;
  readonly boxDir: string;
  /** How many processes were killed in the middle of an operation. */
  kills = 0;
  sessions = 0;
  #box: Box;
  #now: number;
  #day = 0;
  #pid = 0;
  #unsaved = 0;
  readonly #dead = new Set<number>();
  readonly #dice: Random;
  readonly #real = Date.now;
  readonly #crew: Member[] = [];

  /** It ends about now, so that what is left can be used with the machine's own clock. */
  constructor(top: string, plan: Plan) {
    this.top = top;
    this.boxDir = join(top, ".git/signalbox");
    this.plan = plan;
    this.#dice = randomOf(plan.seed);
    this.#now = Date.now() - (plan.days + 1) * DAY_MS;
    this.#box = this.#open();
  }

  get #repo() {
    const repo = findRepo(this.top);
    if (repo?.top === undefined) throw new Error("no repository");
    return { ...repo, top: repo.top };
  }

  /** Lives one day; and its night, in which it is cleaned up. */
  day(): { readonly before: Size; readonly after: Size } {
    const { plan } = this;
    this.#day += 1;
    Date.now = () => this.#now;
    process.env["GIT_COMMITTER_DATE"] = `${Math.trunc(this.#now / 1000)} +0000`;
    try {
      this.#box = this.#open();
      for (let n = 0; n < plan.sessions; n += 1) {
        this.#now += Math.trunc(DAY_MS / plan.sessions);
        if (this.#crew.length >= plan.crew) this.#leave(this.#crew.shift()!);
        this.#crew.push(this.#join(n < plan.indexes));
        for (const member of this.#crew) this.#work(member);
        this.#stamp();
        this.#clean(false);
      }
      this.#publish();
      const before = this.size();
      this.#clean(true);
      return { before, after: this.size() };
    } finally {
      Date.now = this.#real;
      delete process.env["GIT_COMMITTER_DATE"];
      this.#box.log.close();
    }
  }

  size(): Size {
    const { states } = look(this.#box);
    const files = filesIn(this.boxDir);
    const inLog = (folder: string) => files.filter(({ path }) => path.startsWith(join("log", folder)));
    const rest = files.filter(({ path }) => !path.startsWith(join("log", "arch")));
    const sum = (all: typeof files) => all.reduce((bytes, each) => bytes + each.bytes, 0);
    const refs = this.#git("for-each-ref", "--format=%(refname)", "refs/signalbox").split("\n");
    return {
      day: this.#day,
      records: this.#box.log.head.seq,
      live: Object.keys(states.sessions.live).length,
      files: rest.length,
      bytes: sum(rest),
      archives: inLog("arch").length,
      archiveBytes: sum(inLog("arch")),
      snapshotBytes: sum(inLog("snap")),
      gitdirs: readdirSync(join(this.top, ".git")).includes("worktrees")
        ? readdirSync(join(this.top, ".git/worktrees")).length
        : 0,
      refs: refs.filter((ref) => ref !== "").length,
      unsaved: this.#unsaved,
    };
  }

  #open(): Box {
    const box = openBox(this.boxDir, this.top);
    const processes = {
      identify: (pid: number): ProcessId => ({ pid, start: `${pid}`, boot: "b" }),
      isGone: ({ pid }: ProcessId) => this.#dead.has(pid),
      hasChildSince: () => undefined,
    };
    return { ...box, ports: { ...box.ports, now: () => this.#now, processes } };
  }

  /** Does it, or dies somewhere on the way: then the next process opens what is left. */
  #mayDie(action: () => void, one: number, within: number): boolean {
    if (this.#dice.below(one) > 0) {
      action();
      return true;
    }
    const { hit, error } = faulty("kill", 1 + this.#dice.below(within), action);
    if (error !== undefined && !(error instanceof Killed)) throw error;
    if (!hit) return true;
    this.kills += 1;
    this.#box = this.#open();
    return false;
  }

  #join(isolated: boolean): Member {
    this.#pid += 1;
    this.sessions += 1;
    const session = `s${this.#pid}`;
    const caller = { session, kind: "claude-code", tree: "", cwd: this.top, pid: this.#pid };
    const member = { caller, edits: 0, calls: 0, isolated };
    this.#shell("seen", session, "");
    this.#mayDie(() => void arriveSession(this.#box, caller, "startup"), 60, 20);
    if (!isolated) return member;
    const gitdirs = gitdirsOf(treeAt(this.#repo));
    isolate(this.#box, session, "", gitdirs);
    const gitDir = join(this.top, ".git/worktrees", `sb-${session}`);
    writeFileSync(join(this.top, `work-${session}.txt`), `${session}\n`);
    const done = spawnSync("git", ["add", `work-${session}.txt`], {
      cwd: this.top,
      env: { ...process.env, GIT_DIR: gitDir, GIT_WORK_TREE: this.top },
      encoding: "utf8",
    });
    if (done.status !== 0) throw new Error(done.stderr);
    return member;
  }

  /** What a session does between two others' beginnings. */
  #work(member: Member): void {
    const { caller } = member;
    const { session } = caller;
    const dice = this.#dice;
    this.#shell("seen", session, "");
    if (member.edits >= this.plan.edits || dice.chance(0.4)) return;
    member.calls += 1;
    const call = `${session}.toolu_${member.calls}`;
    this.#shell("bash", call, "");
    const path = dice.chance(0.2) ? `shared/${dice.below(20)}.ts` : `src/${session}/${dice.below(9)}.ts`;
    let granted = false;
    const alive = this.#mayDie(
      () => {
        granted = gateEdit(this.#box, caller, path).kind === "go";
      },
      100,
      15,
    );
    if (alive && granted) {
      member.edits += 1;
      const payload = JSON.stringify(
        editPayload({ session, cwd: this.top }, "PostToolUse", join(this.top, path)),
      );
      this.#shell("wrote", `${session}.${this.#pid}.${member.calls}`, payload);
      this.#box.ports.spool.markRead(session, join(this.top, path));
      if (dice.chance(0.3)) this.#commit(caller);
    } else if (alive && dice.chance(0.3)) {
      const targets = [{ kind: "path" as const, path }];
      joinQueue(this.#box, { caller, targets, mode: "exclusive" });
    }
    if (dice.chance(0.05)) claimTask(this.#box, caller, { task: `t${dice.below(200)}` }, undefined);
    if (dice.chance(0.02)) requestHandoff(this.#box, caller, { task: `t${dice.below(200)}` }, "r");
    if (dice.chance(0.3)) deliverNotices(this.#box, session);
    rmSync(join(this.boxDir, "spool/bash", call), { force: true });
  }

  #commit({ session }: Caller): void {
    decide(this.#box, session, ({ states }) => {
      const mine = states.reservations.grants.filter(
        (g) => g.session === session && g.target.kind === "path",
      );
      const targets = mine.map((g) => g.target);
      const paths = targets.flatMap((t) => ("path" in t ? [t.path] : []));
      const commit = `${this.#dice.below(2 ** 31).toString(16)}`.padStart(40, "0");
      const recorded = event("commit.recorded", {
        commit,
        parents: [],
        tree: "",
        session,
        paths,
        total: paths.length,
        subject: "s",
      });
      const freed = release(states.reservations, session, "committed", { tree: "", targets });
      return { events: paths.length === 0 ? [] : [recorded, ...freed], result: undefined };
    });
  }

  #leave({ caller, isolated, calls }: Member): void {
    const { session, pid } = caller;
    const killed = this.#dice.below(this.plan.killed) === 0 || (isolated && this.#dice.below(2) > 0);
    if (killed) {
      // As kill -9 leaves it: a command that ran, a shim's files, a lease, whatever is staged.
      this.#dead.add(pid ?? 0);
      this.#shell("bash", `${session}.toolu_${calls + 1}`, "");
      this.#shell("", `stderr.${999_000_000 + (pid ?? 0)}`, "");
      this.#shell("checked", `${999_000_000 + (pid ?? 0)}`, "");
      return;
    }
    const alive = this.#mayDie(() => leaveSession(this.#box, session, "other", pid), 60, 15);
    if (!alive) this.#dead.add(pid ?? 0);
    else if (isolated) retire(this.#box, session, gitdirsOf(treeAt(this.#repo)));
  }

  /** A file that a shell hook leaves (hooks/hook.sh). */
  #shell(kind: string, name: string, text: string): void {
    mkdirSync(join(this.boxDir, "spool", kind), { recursive: true });
    const file = join(this.boxDir, "spool", kind, name);
    writeFileSync(file, text);
    utimesSync(file, new Date(this.#now), new Date(this.#now));
  }

  /** Somebody commits what yesterday's rescues hold. */
  #publish(): void {
    const at = { cwd: this.top };
    const commits = listRescues(at).filter(({ at: since }) => this.#now - since > DAY_MS / 2);
    // What was begun on the first day of a fortnight nobody ever comes back for.
    const begun = (session: string) => Math.trunc((Number(session.slice(1)) - 1) / this.plan.sessions);
    const wanted = commits.filter(({ session }) => begun(session) % 14 !== 0);
    this.#unsaved = commits.length - wanted.length;
    const paths = wanted.flatMap((each) => each.paths).filter((path) => existsSync(join(this.top, path)));
    if (paths.length === 0) return;
    this.#git("add", "--", ...paths);
    // Its ref may be there still although it was committed yesterday.
    if (this.#git("diff", "--cached", "--name-only") !== "") this.#git("commit", "-qm", `day ${this.#day}`);
  }

  /** `compact --due`; at night it is due whatever has come together. */
  #clean(night: boolean): void {
    if (!night && !isCompactionDue(this.#box)) return;
    const repo = this.#repo;
    const sweep = () => {
      const failed = sweepAll(sweepGround(this.#box, repo, worktreesOf(repo))).filter((each) => each.failed);
      if (failed.length > 0) throw new Error(failed.map(({ what, failed: why }) => `${what}: ${why}`).join());
    };
    const alive = this.#mayDie(sweep, 6, 150);
    if (alive && isCompactionDue(this.#box)) this.#mayDie(() => void compactLog(this.#box, () => 0), 6, 60);
  }

  /** What has been written with the machine's clock was written now. */
  #stamp(): void {
    for (const { path, mtimeMs } of filesIn(this.boxDir))
      if (mtimeMs > this.#now) utimesSync(join(this.boxDir, path), new Date(this.#now), new Date(this.#now));
  }

  #git(...args: string[]): string {
    const env = { ...process.env, SIGNALBOX: "0" };
    const { status, stdout, stderr } = spawnSync("git", args, { cwd: this.top, env, encoding: "utf8" });
    if (status !== 0) throw new Error(`git ${args.join(" ")}: ${stderr}`);
    return stdout;
  }
}

function filesIn(dir: string): { path: string; bytes: number; mtimeMs: number }[] {
  return readdirSync(dir, { recursive: true, encoding: "utf8" }).flatMap((path) => {
    const stat = statSync(join(dir, path), { throwIfNoEntry: false });
    return stat?.isFile() === true ? [{ path, bytes: stat.size, mtimeMs: stat.mtimeMs }] : [];
  });
}
