import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import type { Home, Views } from "../app/ports.ts";

const PRUNE_AFTER_MS = 60_000;
/** No session is called so. */
const LEFT = "left~behind";

/**
 * Files that shell reads, each made and removed by its own session (or whoever proved it dead), so that no two
 * writers race for one file:
 * - `views/live/<session>`: empty; the session is live;
 * - `views/in/<main | wt-ID>/<session>`: empty; it may have work in this working tree;
 * - `views/news/<session>`: empty; there is something to tell it;
 * - `views/waits/<session>`: empty; it has a place in the queue for files;
 * - `views/together`: empty; sessions are coordinated, or one has been alone for a short time only;
 * - `views/in/<main | wt-ID>/left~behind`: empty; sessions that are not there any more may have left work in it;
 * - `views/home/<session>`: where its `git` works, a line each (`hooks/shim.sh` reads them).
 */
export function viewsIn(boxDir: string): Views {
  const views = join(boxDir, "views");
  const live = join(views, "live");
  const trees = () => names(join(views, "in")).map((tree) => join(views, "in", tree));
  const news = join(views, "news");
  const waits = join(views, "waits");
  const together = join(views, "together");
  const folders = () => [live, news, join(views, "home"), ...trees()];

  return {
    addLive(session) {
      touch(live, session);
    },
    addIn(session, tree) {
      touch(join(views, "in", treeName(tree)), session);
    },
    setHome(session, home) {
      const file = join(views, "home", session);
      mkdirSync(join(views, "home"), { recursive: true });
      // Whole or as it was: a shell may be reading it.
      writeFileSync(`${file}~${process.pid}`, homeLines(home));
      renameSync(`${file}~${process.pid}`, file);
    },
    removeLive(session) {
      for (const folder of folders()) rmSync(join(folder, session), { recursive: true, force: true });
    },
    someNews(session) {
      hint(() => existsSync(join(news, session)) || touch(news, session));
    },
    noNews(session) {
      hint(() => rmSync(join(news, session), { force: true }));
    },
    hasNews: (session) => existsSync(join(news, session)),
    setWaiting(sessions) {
      hint(() => {
        for (const name of names(waits)) if (!sessions.has(name)) rmSync(join(waits, name), { force: true });
        for (const session of sessions) touch(waits, session);
      });
    },
    setTogether(are) {
      if (are === existsSync(together)) return;
      hint(() => (are ? touch(views, "together") : rmSync(together, { recursive: true, force: true })));
    },
    someLeft(tree) {
      touch(join(views, "in", treeName(tree)), LEFT);
    },
    noneLeft(tree) {
      rmSync(join(views, "in", treeName(tree), LEFT), { force: true });
    },
    prune(sessions) {
      for (const folder of folders()) {
        for (const name of names(folder)) {
          if (sessions.has(name) || name === LEFT) continue;
          const made = statSync(join(folder, name), { throwIfNoEntry: false })?.mtimeMs;
          // A young one may belong to a session that has not appended its first event yet.
          if (made !== undefined && Date.now() - made > PRUNE_AFTER_MS)
            rmSync(join(folder, name), { recursive: true, force: true });
        }
      }
    },
  };
}

/**
 * What has been decided stands in the log. That a hint of it cannot be left where the shell looks costs a notice until
 * the next prompt, or a runtime start, and is no reason to call the decision broken.
 */
function hint(leave: () => unknown): void {
  try {
    leave();
  } catch {
    // Said above.
  }
}

/** A working tree's name among the views. */
function treeName(tree: string): string {
  return tree === "" ? "main" : `wt-${tree}`;
}

/**
 * The tree, the private gitdir's name, the tree's top (empty: the folder that the common dir is in), flags. A shell
 * reads a file byte by byte, so what it can tell by itself is left out. A path with a newline in it cannot be a line:
 * such a repository has no shim (docs/isolation.md).
 */
function homeLines({ tree, gitDir, top, commonDir, fsmonitor }: Home): string {
  const beside = `${top}/.git` === commonDir;
  const lines = [
    treeName(tree),
    gitDir === "" ? "" : basename(gitDir),
    beside ? "" : top,
    fsmonitor ? "fsmonitor" : "",
  ];
  return [top, commonDir].some((path) => path.includes("\n"))
    ? ""
    : lines.map((line) => `${line}\n`).join("");
}

function touch(dir: string, name: string): void {
  mkdirSync(dir, { recursive: true });
  closeSync(openSync(join(dir, name), "a"));
}

function names(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
