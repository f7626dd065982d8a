import { shortName } from "../app/identity.ts";
import { clock, duration } from "../app/messages.ts";
import type { Held, StatusView } from "../app/status.ts";
import { printable, styled } from "./output.ts";

const WIDTH = 80;

/** The status as people read it, 80 columns wide. */
export function renderStatus(view: StatusView): string {
  const held = view.sessions.reduce((sum, s) => sum + s.holds.length, 0);
  const lines = [styled("bold", `${count(view.sessions.length, "session")}, ${count(held, "reservation")}`)];
  for (const session of view.sessions) lines.push("", ...renderSession(session, view.at));
  section(
    lines,
    "waiting",
    view.waiters.map(
      (w) =>
        `${shortName(w.session)} for ${w.targets.join(", ")}, since ${clock(w.since)}, until ${clock(w.until)}`,
    ),
  );
  section(
    lines,
    "rebase queue",
    view.queue.map(
      (q) => `${shortName(q.session)} onto ${q.target.slice(0, 8)}, not before ${clock(q.notBefore)}`,
    ),
  );
  section(
    lines,
    "handoffs",
    view.handoffs.map(
      (h) => `${shortName(h.from)} asks ${shortName(h.to)} for ${h.what}, until ${clock(h.until)}`,
    ),
  );
  section(
    lines,
    "branches",
    view.heads.map(
      (h) =>
        `${h.branch?.replace("refs/heads/", "") ?? "(detached)"} at ${h.commit.slice(0, 8)}${inTree(h.tree)}`,
    ),
  );
  section(
    lines,
    "last commits",
    view.commits.map((c) => `${c.commit.slice(0, 8)} ${clock(c.at)} ${by(c.session)}: ${c.subject}`),
  );
  section(
    lines,
    "incidents",
    view.incidents
      .slice(-5)
      .map(
        (i) =>
          `${clock(i.at)} ${i.kind}: ${i.text}${i.session === undefined ? "" : ` (${shortName(i.session)})`}`,
      ),
  );
  return lines.join("\n");
}

function renderSession(s: StatusView["sessions"][number], at: number): string[] {
  const quiet = s.gone ? "process gone" : `seen ${duration(at - s.lastSeen)} ago`;
  const agents = s.agents.length === 0 ? "" : `, ${count(s.agents.length, "subagent")}`;
  const what = `  ${clipped(s.kind, 16)}${inTree(clipped(s.tree, 16))}, since ${clock(s.since)}, `;
  const name = clipped(shortName(s.id), WIDTH - what.length - quiet.length - agents.length);
  const head = `${styled("bold", name)}${what}${s.gone ? styled("red", quiet) : quiet}${agents}`;
  const holds = s.holds.map((h) => hold(h));
  const claims = s.claims.map((c) => line("", `task ${c.task}, since ${clock(c.since)}`));
  const indexes = s.indexes.map((i) => line("", indexText(i)));
  const nothing = holds.length + claims.length === 0 ? [styled("dim", "  holds nothing")] : [];
  return [head, ...holds, ...claims, ...indexes, ...nothing];
}

function indexText(i: StatusView["sessions"][number]["indexes"][number]): string {
  const healed =
    i.healedAt === null
      ? ""
      : `, carried forward ${i.heals === 1 ? "once" : `${i.heals} times`}, last at ${clock(i.healedAt)}`;
  const conflicted = i.conflicted.length === 0 ? "" : `; conflicts: ${i.conflicted.slice(0, 3).join(", ")}`;
  return `index ${i.gitdir} based on ${i.base.slice(0, 8)}${healed}${conflicted}`;
}

function hold({ target, kind, tree, agent, mode, until }: Held): string {
  const notes = [
    mode === "shared" ? "shared" : "",
    kind === "path" ? "" : kind,
    agent === null ? "" : `subagent ${agent.slice(0, 8)}`,
    tree === "" ? "" : tree,
  ];
  const note = notes.filter((n) => n !== "").join(", ");
  return line(`until ${clock(until)}`, `${target}${note === "" ? "" : ` (${note})`}`);
}

function section(lines: string[], title: string, items: readonly string[]): void {
  if (items.length === 0) return;
  lines.push("", styled("bold", title), ...items.map((item) => line("", item)));
}

function line(left: string, text: string): string {
  const start = left === "" ? "  " : `  ${left}  `;
  const room = WIDTH - start.length;
  const clean = printable(text);
  return start + (clean.length <= room ? clean : `…${clean.slice(clean.length - room + 1)}`);
}

/** The beginning of a name, on one line. */
function clipped(text: string, room: number): string {
  const clean = printable(text);
  return clean.length <= room ? clean : `${clean.slice(0, Math.max(1, room - 1))}…`;
}

function by(session: string | null): string {
  return session === null ? "a person" : shortName(session);
}

function inTree(tree: string): string {
  return tree === "" ? "" : ` in ${printable(tree)}`;
}

function count(n: number, what: string): string {
  return `${n === 0 ? "no" : n} ${what}${n === 1 ? "" : "s"}`;
}
