import { checkCommit } from "../../src/app/commit-gate.ts";
import { headMoved } from "../../src/app/messages.ts";
import type { Healed } from "../../src/app/ports.ts";
import { hadStaged, hasMovedUnderAmend, healCommit, indexIn, isStale } from "./carry-forward.ts";
import type { GitHandler } from "./call.ts";

/**
 * githooks(5) pre-commit: in every mode of commit, GIT_INDEX_FILE names what is to be committed, and git reads it
 * again afterwards. What was based on an older HEAD is carried forward first.
 */
export const preCommit: GitHandler = (call) => {
  const { box, committer, git, gitPid } = call;
  if (hasMovedUnderAmend(call)) return { refused: true, say: headMoved() };
  const emptied = hadStaged(call);
  let healed = healCommit(call);
  const check = () =>
    checkCommit(box, committer, git, {
      skipped: false,
      healed: emptied && healed.kind === "healed",
      judged: (process.env["SIGNALBOX_JUDGED"] ?? "") !== "",
    });
  let verdict = isConflicted(healed) ? undefined : check();
  // HEAD may have moved while it was checked: then others' commits looked like changes.
  for (let again = 0; verdict?.kind === "refused" && isStale(call) && again < TRIES; again += 1) {
    healed = healCommit(call);
    verdict = isConflicted(healed) ? undefined : check();
  }
  if (verdict === undefined || isConflicted(healed)) {
    const paths = healed.kind === "healed" ? healed.conflicted : [];
    return { refused: true, say: indexIn(call).conflict(paths) };
  }
  if (verdict.kind === "refused") return { refused: true, say: verdict.reason };
  if (gitPid !== "") {
    box.ports.spool.markChecked(gitPid);
    box.ports.spool.markLeftOut(gitPid, verdict.leftOut);
  }
  return { say: verdict.note };
};

const TRIES = 3;

function isConflicted(healed: Healed): boolean {
  return healed.kind === "healed" && healed.conflicted.length > 0;
}
