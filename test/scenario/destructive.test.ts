/** What another session has not committed is not thrown away. */
import assert from "node:assert/strict";
import { refusals, scenario } from "../support/scenario/mod.ts";

/** An edit, a staged edit and an untracked file. */
const WORK = `
  A edits a.txt
  A edits c.txt
  A$ git add c.txt
  A edits u.txt
`;

refusals("S27: a whole tree thrown away", {
  setup: "git branch other",
  given: WORK,
  verbs: [
    "git reset -q --hard",
    "git checkout -q -f",
    "git checkout -q HEAD -- .",
    "git switch -q -f other",
    "git restore .",
    "git checkout -- .",
    "git read-tree -u --reset HEAD",
    "git checkout-index -af",
  ],
});

refusals("S28: another's file by its name", {
  given: WORK,
  verbs: [
    "git checkout -- a.txt",
    "git restore a.txt",
    "git checkout HEAD a.txt",
    "git restore -SW c.txt",
    "git rm -q -f c.txt",
    "git mv a.txt b2.txt",
    "git checkout HEAD~0 -- '*.txt'",
    "git checkout-index -f a.txt",
  ],
});

refusals("S30: untracked files cleaned away", {
  given: WORK,
  verbs: [
    "git clean -fd",
    "git clean -qfdx",
    "git clean -f u.txt",
    "git clean -ff .",
    "git -c clean.requireForce=false clean",
  ],
});

refusals("G31: the verb is not the first word", {
  setup: `git config alias.wipe 'reset --hard'; git config alias.wipesh '!git reset --hard'; printf 'wipe:\\n\\tgit reset -q --hard\\n' >Makefile; printf 'git reset -q --hard\\n' >wipe.sh; git add .; git commit -qm tools`,
  given: WORK,
  verbs: [
    "sh -c 'git reset -q --hard'",
    "git wipe",
    "git wipesh",
    "sh wipe.sh",
    "echo --hard | xargs git reset -q",
    "g=git; $g reset -q --hard",
    'cd /tmp; git -C "$OLDPWD" reset -q --hard',
    "mkdir -p sub; cd sub; git checkout -q -f",
    "git reset -q --har",
    "for v in reset; do git $v --hard; done",
    "find . -maxdepth 0 -exec git checkout -q -f {} +",
  ],
});

refusals("G33: the tree is moved under another's edits", {
  setup:
    "git switch -q -c other; echo o >o.txt; git add o.txt; git commit -qm o; git switch -q main; echo m >m.txt; git add m.txt; git commit -qm m",
  given: WORK,
  verbs: [
    "git merge -q --autostash --no-edit -X theirs other; git stash list | grep -q . || git rm -q -f a.txt",
    "git switch -q -m other; git checkout -q -f HEAD",
  ],
  harmless: [
    "git rebase -q other",
    "git rebase -q --autostash other",
    "git switch -q other",
    "git checkout -q other",
    "git checkout -q --detach",
    "git bisect start",
  ],
});

scenario("G32: a merge that git itself refuses never takes another's edit off the disk", {
  setup:
    "git switch -q -c topic; sed -i s/9/topic/ a.txt; echo t >t.txt; git add .; git commit -qm topic; git switch -q main; echo m >m.txt; git add .; git commit -qm main; mkdir -p .git/hooks; f=.git/hooks/post-index-change; echo '#!/bin/sh' >$f; echo 'grep -q A.was.here a.txt || echo gone >>../gone' >>$f; chmod +x $f",
  given: `
    A edits a.txt
    A$ rm -f ../gone
  `,
  when: `B$ git merge -q --no-edit topic`,
  must: async (w) => {
    w.refused("A");
    assert.ok(!w.exists("../gone"), "not even for a moment");
    await w.unharmed("A");
  },
});

/** Git resets the tree and applies a stash of it when its strategy has refused; whatever A writes meanwhile is lost. */
for (const [why, mine] of [
  ["something is staged", "B edits b.txt; B$ git add b.txt"],
  ["one's own file is in the way", "B edits a.txt"],
  ["one's own new file is in the way", "B edits t.txt"],
] as const)
  scenario(`G32: ${why}: a merge that git itself refuses takes nobody's edit off the disk`, {
    setup:
      "git switch -q -c topic; sed -i s/9/topic/ a.txt; echo t >t.txt; git add .; git commit -qm topic; git switch -q main; echo m >m.txt; git add .; git commit -qm main; mkdir -p .git/hooks; f=.git/hooks/post-index-change; echo '#!/bin/sh' >$f; echo 'grep -q A.was.here c.txt || echo gone >>../gone' >>$f; chmod +x $f",
    given: `
    A edits c.txt
    ${mine.replace("; ", "\n    ")}
    A$ rm -f ../gone
  `,
    when: `B$ git merge -q --no-edit topic`,
    today: (w) => assert.ok(w.exists("../gone"), "A's edit was off the disk"),
    must: async (w) => {
      w.refused("nobody else's doing");
      assert.ok(!w.exists("../gone"), "not even for a moment");
      await w.unharmed("A");
    },
  });

/** B's own edit goes, and A's work is as it was. */
for (const verb of [
  "git checkout -- b.txt",
  "git restore b.txt",
  "git checkout HEAD b.txt",
  "git restore -SW b.txt",
  "git stash push -q b.txt",
  "git checkout-index -f b.txt",
])
  scenario(`S27, S28: one's own edit can be thrown away: ${verb}`, {
    given: `${WORK}
      B edits b.txt
    `,
    when: `B$ ${verb}`,
    must: async (w) => {
      w.fine();
      assert.doesNotMatch(w.read("b.txt"), /B was here/);
      await w.unharmed("A");
    },
  });

scenario("S30: one's own untracked file can be cleaned away", {
  given: `${WORK}
    B edits mine/b.txt
  `,
  when: `B$ git clean -qfd mine`,
  must: async (w) => {
    w.fine();
    assert.ok(!w.exists("mine/b.txt"));
    await w.unharmed("A");
  },
});

const TOPIC = "git switch -q -c other; echo o >o.txt; git add o.txt; git commit -qm o; git switch -q main";

/** Nobody else is live, or nobody's work is in the way. */
for (const verb of [
  "git switch -q other",
  "git merge -q --no-edit other",
  "git rebase -q other",
  "git cherry-pick other",
  "git reset -q --hard",
  "git stash -q",
  "git clean -fdq",
])
  scenario(`S32, G34: alone in the tree: ${verb}`, {
    setup: TOPIC,
    sessions: "B",
    given: `B edits n.txt`,
    when: `B$ ${verb}`,
    must: (w) => {
      w.fine();
    },
  });

for (const verb of ["git merge -q --no-edit other", "git cherry-pick other", "git pull -q --ff-only . other"])
  scenario(`S32: nothing overlaps: ${verb}`, {
    setup: TOPIC,
    given: WORK.replace("A edits u.txt", ""),
    when: `B$ ${verb}`,
    must: async (w) => {
      assert.ok(w.last.code === 0 || /git (merge|fetch)/.test(w.last.stderr), w.transcript);
      await w.unharmed("A");
    },
  });

scenario("S27, S75: with a reason it can be done; the work stands in a rescue ref before, and comes back", {
  given: WORK,
  when: `B$ git status --porcelain`,
  must: async (w) => {
    const env = w.sessions.get("B")?.env ?? {};
    const signalbox = (...args: string[]) => w.repo.signalboxAs({ env }, ...args);
    const before = ["a.txt", "c.txt", "u.txt"].map((file) => w.read(file));
    const unreasoned = await signalbox("bypass", "--", "git", "reset", "-q", "--hard");
    assert.notEqual(unreasoned.code, 0, "a reason is asked for");
    await w.unharmed("A");
    const wipe = "git reset -q --hard; git clean -qfd";
    const done = await signalbox("bypass", "--reason", "the tree is broken", "--", "sh", "-c", wipe);
    assert.equal(done.code, 0, done.stderr);
    assert.ok(!w.exists("u.txt"), "it was done");
    assert.ok(
      w.repo.eventsOf("guard.bypassed").some(({ session }) => session === "bob"),
      "it is on record",
    );
    assert.match((await w.repo.signalbox("status")).stdout, /bypassed/);
    const command = /git signalbox (rescue restore \S+)/.exec(done.stderr)?.[1];
    assert.ok(command, `it says how to bring it back: ${done.stderr}`);
    const back = await signalbox(...command.split(" "));
    assert.equal(back.code, 0, back.stderr);
    assert.deepEqual(
      ["a.txt", "c.txt", "u.txt"].map((file) => w.read(file)),
      before,
    );
  },
});

refusals("S31: a stash of the whole tree", {
  given: WORK,
  verbs: ["git stash -q", "git stash -q -u", "git stash push -q -a", "git stash save -q x"],
});
