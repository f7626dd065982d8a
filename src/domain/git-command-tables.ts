import { optionTable, type OptionSpec } from "./git-command-options.ts";

/**
 * The options of every verb whose options change what it does to a working tree, an index or a branch: those of
 * git 2.31 to 2.55 together. An abbreviation is read right only if all of a verb's options are here.
 */
const PATHSPEC_FILE = "pathspec-from-file= pathspec-file-nul";
const HUNKS = "U,unified= inter-hunk-context= no-auto-advance";
const SWITCH =
  "q,quiet recurse-submodules? progress m,merge conflict= d,detach t,track? f,force orphan= " +
  "overwrite-ignore ignore-other-worktrees guess";
const RESTORE = `overlay q,quiet recurse-submodules? progress m,merge conflict= 2,ours 3,theirs p,patch ignore-skip-worktree-bits ${PATHSPEC_FILE}`;
const PICK =
  "quit continue abort skip cleanup= n,no-commit e,edit s,signoff m,mainline= rerere-autoupdate strategy= " +
  "X,strategy-option= S,gpg-sign?";
const MERGE =
  "stat summary compact-summary log? squash commit e,edit cleanup= ff ff-only verify-signatures s,strategy= " +
  "X,strategy-option= v,verbose q,quiet allow-unrelated-histories progress S,gpg-sign? autostash signoff n,no-stat";
const STASH_PUSH = `k,keep-index S,staged p,patch q,quiet u,include-untracked a,all m,message= ${PATHSPEC_FILE} ${HUNKS}`;

const LINES = {
  add: `n,dry-run v,verbose i,interactive p,patch e,edit f,force u,update renormalize N,intent-to-add A,all ignore-removal refresh ignore-errors ignore-missing sparse chmod= warn-embedded-repo ${PATHSPEC_FILE} ${HUNKS}`,
  am:
    "i,interactive b,binary 3,3way q,quiet s,signoff u,utf8 k,keep keep-non-patch m,message-id keep-cr no-keep-cr " +
    "c,scissors quoted-cr= whitespace= ignore-space-change ignore-whitespace directory= exclude= include= C= p= " +
    "patch-format= reject resolvemsg= continue r,resolved skip abort quit show-current-patch? retry allow-empty " +
    "n,no-verify committer-date-is-author-date ignore-date rerere-autoupdate S,gpg-sign? empty= rebasing",
  apply:
    "exclude= include= p= no-add stat allow-binary-replacement binary numstat summary check index N,intent-to-add " +
    "cached unsafe-paths apply 3,3way ours theirs union build-fake-ancestor= z C= whitespace= ignore-space-change " +
    "ignore-whitespace R,reverse unidiff-zero reject allow-overlap v,verbose q,quiet inaccurate-eof recount " +
    "directory= allow-empty",
  branch:
    "v,verbose q,quiet t,track? set-upstream u,set-upstream-to= unset-upstream color? r,remotes contains? " +
    "no-contains? with? without? abbrev? a,all d,delete D m,move M omit-empty c,copy C l,list show-current " +
    "create-reflog edit-description f,force merged? no-merged? column? sort= points-at= i,ignore-case " +
    "recurse-submodules format=",
  checkout: `b= B= l ${SWITCH} ${RESTORE} ${HUNKS}`,
  "checkout-index":
    "a,all ignore-skip-worktree-bits f,force q,quiet n,no-create u,index z stdin temp prefix= stage=",
  "cherry-pick": `${PICK} x ff allow-empty allow-empty-message keep-redundant-commits empty= r`,
  clean: "q,quiet n,dry-run f,force i,interactive d e,exclude= x X",
  commit:
    "q,quiet v,verbose F,file= author= date= m,message= c,reedit-message= C,reuse-message= fixup= squash= " +
    "reset-author trailer= s,signoff t,template= e,edit cleanup= status S,gpg-sign? a,all i,include interactive " +
    "p,patch o,only n,no-verify dry-run short branch ahead-behind porcelain long z,null amend no-post-rewrite " +
    `u,untracked-files? ${PATHSPEC_FILE} allow-empty allow-empty-message ${HUNKS}`,
  merge: `${MERGE} rerere-autoupdate m,message= F,file= into-name= abort quit continue overwrite-ignore no-verify`,
  "merge-file": "p,stdout object-id diff3 zdiff3 ours theirs union diff-algorithm= marker-size= q,quiet L=",
  mv: "v,verbose n,dry-run f,force k sparse",
  pull: `${MERGE} r,rebase? recurse-submodules? verify no-verify all a,append upload-pack= f,force t,tags p,prune j,jobs? dry-run k,keep depth= shallow-since= shallow-exclude= deepen= unshallow update-shallow refmap= o,server-option= 4,ipv4 6,ipv6 negotiation-tip= negotiation-include= negotiation-restrict= show-forced-updates set-upstream`,
  "read-tree":
    "index-output= empty v,verbose m trivial aggressive reset prefix= u exclude-per-directory= i n,dry-run " +
    "no-sparse-checkout debug-unpack recurse-submodules? super-prefix= q,quiet",
  "reflog expire":
    "n,dry-run rewrite updateref v,verbose expire= expire-unreachable= stale-fix all single-worktree",
  reset: `q,quiet no-refresh mixed soft hard merge keep recurse-submodules? p,patch N,intent-to-add ${PATHSPEC_FILE} ${HUNKS}`,
  restore: `s,source= S,staged W,worktree ignore-unmerged ${RESTORE} ${HUNKS}`,
  revert: `${PICK} reference`,
  rm: `n,dry-run q,quiet cached f,force r ignore-unmatch sparse ${PATHSPEC_FILE}`,
  switch: `c,create= C,force-create= discard-changes ${SWITCH}`,
  "symbolic-ref": "q,quiet d,delete short recurse m=",
  "update-ref": "m= d no-deref z stdin create-reflog batch-updates",
  rebase:
    "onto= keep-base no-verify q,quiet v,verbose n,no-stat signoff committer-date-is-author-date " +
    "reset-author-date ignore-date C= ignore-whitespace whitespace= f,force-rebase no-ff continue skip abort quit " +
    "edit-todo show-current-patch apply m,merge i,interactive p,preserve-merges rerere-autoupdate empty= k,keep-empty " +
    "autosquash update-refs S,gpg-sign? autostash x,exec= allow-empty-message r,rebase-merges? fork-point " +
    "s,strategy= X,strategy-option= root reschedule-failed-exec reapply-cherry-picks trailer=",
  stash: STASH_PUSH,
  "stash pop": "q,quiet index",
  "stash store": "q,quiet m,message=",
  worktree: "f,force d,detach checkout lock reason= q,quiet track guess-remote b= B= orphan relative-paths",
} as const;

/** A verb, or `stash pop` for a subcommand, of which the options are known. */
export type Tabled = keyof typeof LINES;

const made = new Map<Tabled, readonly OptionSpec[]>();

/** Its options; the table is made when it is first asked for. */
export function tableOf(verb: Tabled): readonly OptionSpec[] {
  let table = made.get(verb);
  if (table === undefined) made.set(verb, (table = optionTable(LINES[verb])));
  return table;
}

export const TABLED = Object.keys(LINES) as readonly Tabled[];
