#!/bin/sh
# The one entry of all installed hooks: hook <claude|git> <name> [git's arguments].
# Installed as <git common dir>/signalbox/bin/hook; @NAMES@ are filled in from hooks/manifest.ts.
# Exit code: git hooks 0 or 1 (refused); Claude hooks always 0. Whatever breaks here lets the operation through.
[ "${SIGNALBOX-}" = 0 ] && exit 0

sb=${0%/*}/..
# doctor fires every hook and looks who answers; nothing else in the chain is to run then.
[ -n "${SIGNALBOX_PROBE-}" ] && {
  printf '%s\n' "$*" >>"$SIGNALBOX_PROBE"
  exit 1
}
kind=${1-claude} name=${2-auto} head=
me=${CLAUDE_CODE_SESSION_ID:-${SIGNALBOX_SESSION-}}
case $me in *[!A-Za-z0-9._-]* | .*) me= ;; esac

# A session is live, or has left an index that is to follow HEAD.
live() {
  set -- "$sb"/views/live/* "$sb"/wt/*
  [ -e "$1" ] || [ -e "${2-}" ]
}

others() {
  for f in "$sb"/views/live/*; do
    [ "${f##*/}" = "$me" ] || { [ -e "$f" ] && return 0; }
  done
  return 1
}

# Whether the index that is committed from is behind HEAD: another gitdir's commit has moved it.
stale() {
  gd=${GIT_DIR:-.git}
  { IFS= read -r base; } 2>/dev/null <"$gd/signalbox-base" || return 1
  [ "$base" != "$(git rev-parse -q --verify HEAD^0 2>/dev/null)" ]
}

# Whether the shim has looked at what is staged, under the HEAD that is still there.
judged() {
  case ${SIGNALBOX_JUDGED-}:${GIT_INDEX_FILE-} in
    ????????????????????????????????????????*:*/index) [ "$SIGNALBOX_JUDGED" = "$(git rev-parse -q --verify HEAD^0 2>/dev/null)" ] ;;
    *) false ;;
  esac
}

# A file's mtime says when the session was last seen; truncating an empty file is free of forks. Not with `:`: a
# shell ends when it cannot redirect that one, and for a client exit 2 means "refused".
seen() { [ -n "$me" ] && [ -d "$sb/spool/seen" ] && true >"$sb/spool/seen/$me"; }

# The head of the payload names agent, tool and path, which the next fold takes; of the content it takes nothing.
spool() {
  [ -n "$me" ] && [ -d "$sb/spool/wrote" ] || return 0
  n=0
  while [ -e "$sb/spool/wrote/$me.$$.$n" ]; do n=$((n + 1)); done
  if [ -n "$head" ]; then printf %s "$head"; else head -c 8192; fi >"$sb/spool/wrote/$me.$$.$n"
}

# The start of the payload, as much as there is by now: a client may leave its end open.
peek() { head=$(dd bs=8192 count=1 2>/dev/null); }

# The file that a tool is given, as it stands in the payload; what is cut off, or would have to be unescaped, is none.
fileIn() {
  file=${1#*'"tool_input":{"'*'file_path":"'}
  [ "$file" != "$1" ] || return 1
  case $file in *'"'*) file=${file%%'"'*} ;; *) return 1 ;; esac
  case $file in "" | *'\'*) return 1 ;; esac
}

# Whether a file is plainly in the session's own working tree: by no link, and in no repository within it.
ours() {
  top=
  { IFS= read -r _ && IFS= read -r _ && IFS= read -r top; } 2>/dev/null <"$sb/views/home/$me" || return 1
  [ -n "$top" ] || top=${0%/*/*/*/*}
  case $1 in *//* | */./* | */../* | */.git/*) return 1 ;; "$top"/*) ;; *) return 1 ;; esac
  d=$1
  while [ ! -h "$d" ]; do
    d=${d%/*}
    [ "$d" = "$top" ] && return 0
    [ -e "$d/.git" ] && return 1
  done
  return 1
}

# Whether nobody is there to be coordinated with (src/policy/coordination.ts): then an edit is noted, for whoever
# comes, and nothing else. Subagents of one session edit at the same time.
alone() {
  [ ! -e "$sb/views/together" ] && ! others && [ -n "$me" ] && [ -e "$sb/views/live/$me" ] && [ -d "$sb/spool/wrote" ]
}
noted() {
  peek
  case $head in *'"agent_id":"'*) return 1 ;; esac
  fileIn "$head" && ours "$file" && spool 2>/dev/null || return 1
  # Who has come in between may not have seen the note.
  seen
  ! others
}

# Whether this read needs no more than to be noted.
read_only() {
  [ ! -e "$sb/views/news/$me" ] || return 1
  peek
  if [ -n "$me" ] && fileIn "$head" && [ -d "$sb/spool/read" ]; then
    printf '%s\n' "$file" >>"$sb/spool/read/$me"
  fi
}

# The tool call's id, from a piece of the payload: within a command's text no quote stands bare, so nothing there looks like it.
callIn() {
  id=${1##*\"tool_use_id\":\"}
  [ "$id" != "$1" ] || return 1
  id=${id%%\"*}
  case $id in "" | *[!A-Za-z0-9_-]*) return 1 ;; esac
}
# A command runs (src/adapters/survey-file.ts).
begins() {
  [ -n "$me" ] && [ -d "$sb/spool/bash" ] || return 0
  last=$(tail -c 256)
  callIn "$last" || return 0
  case $last in *'"run_in_background":true'*) id=bg-$id ;; esac
  true >"$sb/spool/bash/$me.$id"
}
# It has ended, and nobody else is here to be told what it changed.
ends() {
  [ -n "$me" ] && [ -d "$sb/spool/bash" ] || return 0
  case $name in
    post-bash) last=$(tail -c 256) ;;
    *) last=$(head -c 8192) ;;
  esac
  callIn "$last" && rm -f "$sb/spool/bash/$me.$id"
}

broken() {
  # A code cache that its runtime chokes on would break every hook.
  rm -f "$sb"/runtime/code-*
  line="signalbox: $kind hook $name could not run ($1): this operation was not guarded; run: git signalbox doctor"
  printf '%s\n' "$line" >&2
  # An empty file needs no room: what a full disk does not take is at least known to be missing.
  { true >"$sb/spool/unrecorded"; } 2>/dev/null
  { printf '%s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$line" >>"$sb/errors.log"; } 2>/dev/null
  [ "$kind" = claude ] && printf '{"systemMessage":"%s"}\n' "$(printf %s "$line" | tr '\000-\037"\\' ' ')"
  exit 0
}

case $kind:$name in
  claude:pre-bash) begins 2>/dev/null; seen 2>/dev/null; exit 0 ;;
  claude:post-bash | claude:post-bash-failure) seen 2>/dev/null; others || { ends 2>/dev/null; exit 0; } ;;
  claude:pre-edit) alone && noted && exit 0 ;;
  claude:pre-read)
    others || exit 0
    read_only 2>/dev/null && { seen 2>/dev/null; exit 0; }
    ;;
  @SPOOL@) spool 2>/dev/null; seen 2>/dev/null; exit 0 ;;
  @SEEN@) seen 2>/dev/null; exit 0 ;;
  git:pre-commit | git:prepare-commit-msg)
    # A person is told afterwards: meanwhile a session might commit, and theirs would be too late.
    { [ -n "$me" ] && others; } || stale || exit 0
    judged && exit 0
    ;;
  @OTHERS@) others || exit 0 ;;
  @LIVE@) live || exit 0 ;;
esac

# Files were checked out, and HEAD stayed (githooks(5)).
[ "$kind:$name:${5-}" = git:post-checkout:0 ] && exit 0

# A rebase runs these once per commit; post-rewrite tells of all of them at its end.
case $kind:$name in
  git:post-commit | git:post-checkout | git:prepare-commit-msg)
    gd=${GIT_DIR:-.git}
    [ -d "$gd/rebase-merge" ] || [ -d "$gd/rebase-apply" ] && exit 0
    ;;
esac
# Pre-commit left this for the git process that is our parent: the commit is checked already.
[ "$kind:$name" = git:prepare-commit-msg ] && [ -e "$sb/spool/checked/${SIGNALBOX_GIT_PID:-none}" ] && exit 0

runtime=@RUNTIME@
bundle=$sb/runtime/hook.cjs
[ -x "$runtime" ] || broken "no runtime at $runtime"
[ -r "$bundle" ] && [ -s "$bundle" ] || broken "no bundle at $bundle"
# NODE_EXTRA_CA_CERTS alone makes Node 20 start 2.5 times slower; NODE_OPTIONS may load anything.
unset NODE_OPTIONS NODE_EXTRA_CA_CERTS
# An idle session that waits for files is woken when they are its own: the client takes exit 2 for that. A newer
# turn's end has a newer one of these.
if [ "$kind:$name" = claude:wake ]; then
  [ -n "$me" ] && [ -d "$sb/spool/wake" ] && [ -e "$sb/views/waits/$me" ] || exit 0
  echo $$ >"$sb/spool/wake/$me"
  n=0
  while [ -e "$sb/views/waits/$me" ] || [ -e "$sb/views/news/$me" ]; do
    { IFS= read -r last; } 2>/dev/null <"$sb/spool/wake/$me" && [ "$last" = $$ ] || exit 0
    [ -z "${CLAUDE_PID-}" ] || kill -0 "$CLAUDE_PID" 2>/dev/null || exit 0
    # Somebody has to look: what it waits for may become free by time alone.
    if [ $((n % 15)) = 0 ] || { [ $((n % 2)) = 0 ] && [ -e "$sb/views/news/$me" ]; }; then
      out=$("$runtime" @FLAGS@ "$bundle" wake "$me" 2>/dev/null) || exit 0
      [ -z "$out" ] || { printf '%s\n' "$out" >&2; exit 2; }
    fi
    n=$((n + 1))
    sleep 2
  done
  exit 0
fi
[ $# -ge 2 ] && shift 2
# Whose child this is: a client's, or git's (the hook file says so).
SIGNALBOX_PPID=$PPID
SIGNALBOX_HEAD=$head
export SIGNALBOX_PPID SIGNALBOX_HEAD
# In braces, because a shell tells of a child that was killed on its own stderr.
{ out=$("$runtime" @FLAGS@ "$bundle" "$kind" "$name" "$@"); } 2>/dev/null
rc=$?
case $kind:$rc in
  claude:0 | version:0) [ -z "$out" ] || printf '%s\n' "$out" ;;
  git:0) [ -z "$out" ] || printf '%s\n' "$out" >&2 ;;
  git:3) printf '%s\n' "$out" >&2; exit 1 ;;
  *:142) broken "its input did not end" ;;
  *) broken "exit $rc" ;;
esac
exit 0
