#!/bin/sh
# The `git` of a session: first on its PATH, it runs the real git in the session's own gitdir (docs/isolation.md).
# Installed as <git common dir>/signalbox/shim/git. Whatever is not a session's work in this repository is the real
# git's alone: one exec, nothing set. Only builtins on the way there: a fork costs as much as all the rest.
sb=${0%/shim/git}
runtime=@RUNTIME@
git=${SIGNALBOX_GIT-}
case $git in
  */*) [ -x "$git" ] || git= ;;
  *) git= ;;
esac
if [ -z "$git" ]; then
  ifs=$IFS IFS=:
  set -f
  for d in $PATH; do
    case $d in */signalbox/shim | "") continue ;; esac
    [ -x "$d/git" ] && [ ! -d "$d/git" ] && {
      git=$d/git
      break
    }
  done
  set +f
  IFS=$ifs
fi
[ -n "$git" ] || {
  echo "signalbox: no git on PATH behind $0" >&2
  exit 127
}

me=${CLAUDE_CODE_SESSION_ID:-${SIGNALBOX_SESSION-}}
case $me in "" | *[!A-Za-z0-9._-]* | .*) exec "$git" "$@" ;; esac
[ "${SIGNALBOX-}" = 0 ] || [ -n "${GIT_DIR-}" ] && exec "$git" "$@"
{ IFS= read -r tree && IFS= read -r own && IFS= read -r top && IFS= read -r flags; } 2>/dev/null <"$sb/views/home/$me" || exec "$git" "$@"
common=${sb%/signalbox}
native=$common/worktrees/${tree#wt-}
[ "$tree" = main ] && native=$common
own=${own:+$common/worktrees/$own}
top=${top:-${common%/.git}}

# What git is asked, and where: its options up to the verb.
verb= at= skip= odd=
for a do
  case $skip in
    at)
      skip=
      case $a in
        /*) at=$a ;;
        "") ;;
        *) at=${at:-$PWD}/$a ;;
      esac
      continue
      ;;
    ?*)
      case $skip$a in c[cC][oO][rR][eE].[hH][oO][oO][kK][sS]*) odd=1 ;; esac
      skip=
      continue
      ;;
  esac
  case $a in
    -C) skip=at ;;
    -c) skip=c ;;
    --config-env | --attr-source) skip=x ;;
    --git-dir | --git-dir=* | --work-tree | --work-tree=* | --namespace | --namespace=* | --bare | --super-prefix*) exec "$git" "$@" ;;
    --exec-path | --html-path | --man-path | --info-path | --version | --help | -v | -h | --list-cmds*) exec "$git" "$@" ;;
    -*) ;;
    *)
      verb=$a
      break
      ;;
  esac
done
case $verb in
  "" | clone | init | init-db | ls-remote | version | help | credential* | daemon | http-* | upload-* | receive-pack | send-pack | fetch-pack | index-pack | unpack-* | signalbox | gui | gitk | instaweb | web--browse | mergetool--* | sh-*)
    exec "$git" "$@"
    ;;
esac

# The working tree it is about: the first folder upwards with a .git.
# Where that is really: git asks the kernel, and a shell's PWD may lead through links.
if [ -n "$at" ]; then
  d=$(CDPATH= cd -P -- "$at" 2>/dev/null && echo "$PWD") || exec "$git" "$@"
else
  was=$PWD
  CDPATH= cd -P . 2>/dev/null || exec "$git" "$@"
  d=$PWD PWD=$was
fi
case $d/ in */.git/*) exec "$git" "$@" ;; esac
while [ ! -e "$d/.git" ]; do
  case $d in "" | /) exec "$git" "$@" ;; esac
  d=${d%/*}
done
if [ ! "$d/.git" -ef "$top/.git" ]; then
  # Another working tree of this repository is guarded too; everything else is somebody else's.
  if [ -f "$d/.git" ]; then
    { IFS= read -r line; } 2>/dev/null <"$d/.git"
    native=${line#gitdir: }
    case $native in "$common"/worktrees/*) ;; *) exec "$git" "$@" ;; esac
    tree=wt-${native##*/}
  else
    [ "$d/.git" -ef "$common" ] || exec "$git" "$@"
    native=$common tree=main
  fi
  own= top=$d flags=
fi

# What kind of verb: `pass` looks at no index and moves nothing, `look` reads the index, `act` may write; `ask` is
# for what a shell cannot tell: where it is to run, or what it is at all.
kind=ask
case $verb in
  log | show | rev-parse | cat-file | config | remote | fetch | ls-tree | for-each-ref | rev-list | name-rev | describe | tag | blame | annotate | grep | shortlog | whatchanged | merge-base | archive | bundle | cherry | count-objects | diff-tree | fsck | format-patch | hash-object | interpret-trailers | mailinfo | mailsplit | notes | patch-id | range-diff | request-pull | send-email | show-ref | show-branch | var | verify-commit | verify-pack | verify-tag | push | get-tar-commit-id | stripspace | column | check-ref-format | check-mailmap | commit-tree | mktree | mktag | merge-tree | fast-export | lfs | rerere | pack-objects | pack-refs | repack | gc | maintenance | multi-pack-index | commit-graph | fetch-pack | show-index | write-tree-of | bugreport | diagnose | last-modified | repo | refs) kind=pass ;;
  status | diff | diff-index | diff-files | difftool | ls-files | check-ignore | check-attr | write-tree | checkout-index--list) kind=look ;;
  add | stage | rm | mv | merge-file | merge-index | commit | restore | reset | clean | merge | cherry-pick | revert | update-index | read-tree | apply | citool | mergetool | checkout-index) kind=act ;;
esac
if [ "$verb" = branch ] || [ "$verb" = worktree ] || [ "$verb" = stash ] || [ "$verb" = submodule ]; then
  # Lists only?
  seen= lists=1
  for a do
    [ -n "$seen" ] || {
      [ "$a" = "$verb" ] && seen=1
      continue
    }
    case $verb:$a in
      branch:--show-current | branch:--list | branch:-l | branch:-a | branch:-r | branch:-v | branch:-vv | branch:--all | branch:--remotes | branch:--verbose | branch:--no-color | branch:--format=* | branch:--sort=* | branch:--merged | branch:--no-merged | branch:--contains=*) ;;
      worktree:list | worktree:--porcelain | worktree:-z | worktree:-v | stash:list | stash:show | stash:--stat | stash:-p | submodule:status | submodule:--quiet) ;;
      *) lists= ;;
    esac
  done
  [ "$verb" = stash ] && [ "$a" = stash ] && lists=
  [ -n "$lists" ] && kind=pass
fi
if [ "$verb" = fetch ]; then
  # Into a branch that is checked out.
  for a do
    case $a in --update-h* | -[!-]*u* | -u*) kind=ask ;; esac
  done
fi
if [ "$verb" = checkout ]; then
  # Of paths, not of a branch.
  for a do
    case $a in -- | .) kind=act ;; esac
  done
fi

[ -d "$own" ] || own=
others=
# A sync that was killed on its way.
half=
[ -e "$native/signalbox-move" ] && [ "$kind" != pass ] && half=1 odd=1 SIGNALBOX_LOCKED=1
case $kind in
  pass | look) [ -n "$own$half" ] || exec "$git" "$@" ;;
  *)
    for f in "$sb/views/in/$tree"/*; do
      [ "${f##*/}" = "$me" ] || { [ -e "$f" ] && others=1; }
    done
    [ -n "$own$others$half" ] || exec "$git" "$@"
    ;;
esac

# Where HEAD is. A tree that is on no branch, or in the middle of a rebase, is used as it is.
gd=$own now=
if [ -n "$own" ]; then
  { IFS= read -r head; } 2>/dev/null <"$native/HEAD"
  { IFS= read -r mine; } 2>/dev/null <"$own/HEAD"
  { IFS= read -r base; } 2>/dev/null <"$own/signalbox-base"
  case $head in
    "ref: refs/heads/.invalid")
      head=$(GIT_DIR=$native "$git" symbolic-ref -q HEAD) mine=$(GIT_DIR=$own "$git" symbolic-ref -q HEAD)
      [ -n "$head" ] || gd=
      head="ref: $head" mine="ref: $mine"
      ;;
    "ref: refs/heads/"*) ;;
    *) gd= ;;
  esac
  [ -d "$native/rebase-merge" ] || [ -d "$native/rebase-apply" ] || [ -e "$native/BISECT_LOG" ] && gd=
  [ -s "$own/HEAD" ] && [ -s "$own/commondir" ] || odd=1
  # A person may have switched where git runs no hook of ours.
  [ -z "$gd" ] || [ "$head" = "$mine" ] || odd=1
  if [ -n "$gd" ] && [ "$kind" != pass ]; then
    { IFS= read -r now; } 2>/dev/null <"$common/${head#ref: }" ||
      now=$(GIT_DIR=$native "$git" rev-parse -q --verify "${head#ref: }^0")
    [ "$base" = "$now" ] && [ -s "$own/index" ] || odd=1
    [ -e "$own/rebase-merge" ] || [ -e "$own/rebase-apply" ] && odd=1
    # A person has changed what is checked out.
    for f in info/sparse-checkout config.worktree; do
      [ -e "$native/$f" ] && { [ ! -e "$own/$f" ] || [ "$own/$f" -ot "$native/$f" ]; } && odd=1
    done
    # Left by a git that was killed, or held by one that works.
    [ -e "$own/index.lock" ] || [ -e "$common/${head#ref: }.lock" ] && odd=1 SIGNALBOX_LOCKED=1
  fi
fi
case $flags in
  *fsmonitor*)
    # Its daemon would be one for each gitdir.
    [ -n "${GIT_CONFIG_COUNT-}" ] || export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=core.fsmonitor GIT_CONFIG_VALUE_0=false
    ;;
esac

case $kind in
  look | pass) [ -n "$odd" ] || kind=plain ;;
  act) [ -n "$odd$others" ] || kind=plain ;;
esac

broken() {
  line="signalbox: $1; run: git signalbox doctor"
  echo "$line" >&2
  { printf '%s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$line" >>"$sb/errors.log"; } 2>/dev/null
}

lock= paths= after= move= why= given= message=
SIGNALBOX_LOCKED=${SIGNALBOX_LOCKED-}
if [ "$kind$verb" = plainreset ] && [ -n "$gd" ]; then
  # There is no hook for it.
  after=moved
  case " $* " in *" --so"*) after="moved soft" ;; esac
fi
if [ "$kind" != plain ]; then
  SIGNALBOX_GIT=$git SIGNALBOX_PPID=$$ SIGNALBOX_TREE=$tree SIGNALBOX_TOP=$top SIGNALBOX_NATIVE=$native
  SIGNALBOX_OWN=$own SIGNALBOX_OTHERS=$others SIGNALBOX_AT=${at:-$PWD}
  export SIGNALBOX_LOCKED SIGNALBOX_GIT SIGNALBOX_PPID SIGNALBOX_TREE SIGNALBOX_TOP SIGNALBOX_NATIVE SIGNALBOX_OWN SIGNALBOX_OTHERS SIGNALBOX_AT
  for try in 1 2; do
    plan=$(
      # NODE_EXTRA_CA_CERTS alone makes Node 20 start 2.5 times slower; NODE_OPTIONS may load anything.
      unset NODE_OPTIONS NODE_EXTRA_CA_CERTS
      "$runtime" @FLAGS@ "$sb/runtime/hook.cjs" shim before "$@" </dev/null 2>/dev/null
    )
    rc=$? say= answered=
    # Killed by somebody: once is no reason to go on unguarded.
    [ $rc -gt 128 ] || break
  done
  if [ $rc = 3 ]; then
    printf '%s\n' "$plan" >&2
    exit 1
  fi
  [ $rc != 0 ] || eval "$plan"
  if [ -z "$answered" ]; then
    # A code cache that its runtime chokes on would break every hook.
    rm -f "$sb"/runtime/code-*
    broken "git $verb was not guarded: the guard could not run"
    # Without a heal, a commit from this index would take back what others have committed since.
    if [ -n "$gd" ] && [ -n "$now" ] && { [ "$base" != "$now" ] || ! GIT_DIR=$gd "$git" ls-files -u >/dev/null 2>&1; }; then
      if [ -n "$base" ] && GIT_DIR=$gd GIT_WORK_TREE=$top "$git" read-tree -i -m "$base" "$now" 2>/dev/null; then
        echo "$now" >"$gd/signalbox-base"
      else
        gd=
      fi
    fi
  fi
  [ -z "$say" ] || printf '%s\n' "$say" >&2
  unset SIGNALBOX_LOCKED SIGNALBOX_PPID SIGNALBOX_TREE SIGNALBOX_TOP SIGNALBOX_NATIVE SIGNALBOX_OWN SIGNALBOX_OTHERS SIGNALBOX_AT
fi

# A submodule's gitdir is to outlive the session's.
[ "$verb" = submodule ] && [ -n "$gd" ] && [ -z "${GIT_INDEX_FILE-}" ] && export GIT_INDEX_FILE="$gd/index" && gd=
[ -n "$gd" ] && export GIT_DIR="$gd" GIT_WORK_TREE="$top"
case $verb in
  commit | merge | pull | cherry-pick | revert | rebase | am) [ -z "$gd" ] || after=${after:-moved} ;;
esac
[ -n "$lock$paths$after$move" ] || [ "$verb" = commit ] || exec "$git" "$@"

# Beyond here git is a child, because something is to be done when it has ended.
err=
[ -t 2 ] || case $verb$move in commit | merge | pull | cherry-pick | revert | ?*\ *) err=$sb/spool/stderr.$$ ;; esac
[ -n "$err" ] && { { : ; } 2>/dev/null >"$err" || err=; }
[ -n "$lock" ] && export SIGNALBOX_LOCK="$lock"

# Asks the guard's bundle, apart from whatever this command's environment says.
ask() (
  unset NODE_OPTIONS NODE_EXTRA_CA_CERTS GIT_DIR GIT_WORK_TREE
  export SIGNALBOX_GIT="$git" SIGNALBOX_TREE="$tree" SIGNALBOX_TOP="$top" SIGNALBOX_NATIVE="$native" SIGNALBOX_OWN="$own"
  [ -s "$sb/runtime/hook.cjs" ] && "$runtime" @FLAGS@ "$sb/runtime/hook.cjs" shim "$@" </dev/null 2>/dev/null
)

# A message that comes by stdin comes once; the commit may have to be made again.
if [ "$verb" = commit ] && [ -n "$err" ]; then
  for a do
    case $a in
      - | -F- | -[!-]*F- | --file=-) [ -t 0 ] || [ -n "$message" ] || {
        message=$sb/spool/message.$$.${SIGNALBOX_TRIES:-0}
        cat >"$message"
      } ;;
    esac
  done
fi

run() {
  [ -z "$move" ] || "$git" update-ref -m "$why" HEAD $move || return 128
  if [ -n "$message" ]; then
    "$git" "$@" <"$message"
  elif [ -n "$paths" ]; then "$git" "$@" <"$paths"; else "$git" "$@"; fi
}

if [ -n "$err" ]; then run "$@" 2>"$err"; else run "$@"; fi
rc=$?
# A stash's entry is told from the next one's before that is made.
case $lock:$after in :* | *:stash:*) ;; *) true >"$lock" ;; esac
if [ $rc != 0 ] && [ -n "$err" ] && [ "${SIGNALBOX_TRIES:-0}" -lt 20 ]; then
  again=
  case $(cat "$err") in
    # Somebody else's commit came first: the index follows it, and the command is judged and run anew.
    *"cannot lock ref"*"is at "*"but expected"* | *"signalbox: HEAD has moved"*)
      again=1
      case $verb in merge | pull | cherry-pick | revert) again=$(ask lost "$now" "$@") ;; esac
      ;;
    # Held for a moment by another commit, or left by one that was killed.
    *"Unable to create"*".lock': File exists"*) ask locks && again=1 ;;
  esac
  if [ -n "$again" ]; then
    rm -f "$err" ${paths:+"$paths"}
    unset GIT_DIR GIT_WORK_TREE SIGNALBOX_LOCK SIGNALBOX_JUDGED SIGNALBOX_AMENDS
    SIGNALBOX_TRIES=$((${SIGNALBOX_TRIES:-0} + 1)) SIGNALBOX_GIT=$git
    export SIGNALBOX_TRIES SIGNALBOX_GIT
    # As it was given: what is left out or put in is for the guard to say anew.
    [ -z "$given" ] || eval "set -- $given"
    [ -z "$message" ] || exec "$0" "$@" <"$message"
    [ "$again" = conclude ] || exec "$0" "$@"
    "$0" -C "$top" commit --no-edit || exit
    [ ! -e "$own/sequencer" ] || exec "$0" -C "$top" "$verb" --continue
    exit 0
  fi
fi
if [ -n "$err" ] && [ -s "$err" ]; then
  cat "$err" >&2
  # A merge that fails puts the whole tree aside; what it could not put back is in an object that nothing names.
  case $verb:$(cat "$err") in merge:*"was not unstashed"* | pull:*"was not unstashed"*) after="$after unstashed" ;; esac
fi
[ -n "$err$paths" ] && rm -f ${err:+"$err"} ${paths:+"$paths"} ${message:+"$sb/spool/message.$$".*}
[ -d "$native/rebase-merge" ] || [ -d "$native/rebase-apply" ] || [ -e "$native/BISECT_LOG" ] ||
  [ ! -e "$native/signalbox-operation" ] || rm -f "$native/signalbox-operation"
new= follows=
if [ "$after" = moved ]; then
  # Has a hook of ours carried people's index along already? There is none for a reset, and none of ours may be in place.
  { IFS= read -r head; } 2>/dev/null <"$native/HEAD"
  { IFS= read -r new; } 2>/dev/null <"$common/${head#ref: }"
  { IFS= read -r follows; } 2>/dev/null <"$native/signalbox-base"
  [ -n "$new" ] && [ "$new" = "$follows" ] && after=
fi
if [ -n "$after" ] && ! ask after "$rc" "$now" $after >&2; then
  # A commit from people's index would take back what was committed just now.
  unset GIT_INDEX_FILE
  if [ -n "$new" ] && [ -n "$follows" ] &&
    GIT_DIR=$native GIT_WORK_TREE=$top "$git" read-tree -i -m "$follows" "$new" 2>/dev/null; then
    echo "$new" >"$native/signalbox-base"
  else
    broken "people's index could not be carried along after git $verb"
  fi
fi
[ -z "$lock" ] || true >"$lock"
exit $rc
