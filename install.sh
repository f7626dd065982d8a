#!/bin/sh
# Installs signalbox in a git repository: ./install.sh --help
set -eu
# Set where a git hook or alias runs this; it would point git at another repository.
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_PREFIX

usage() {
  cat <<'END'
usage: ./install.sh [REPO] [options]

Builds signalbox and installs it in REPO (default: the repository of the current directory).

  --check              print the exact changes and make none; exit 1 if there are any
  --shared             Claude Code hooks in .claude/settings.json, for everybody's clone
  --plugin             leave Claude Code's settings alone: this folder is a plugin, enable it yourself
  --local              Claude Code hooks in .claude/settings.local.json (default)
  --tracked-hooks      also write to a git hooks folder that is tracked or shared with other repositories
  --runtime node|deno  what the installed hooks run on
  --demo               no installation: the main job on a scratch repository
  --uninstall          take everything back; --purge: the log too
END
}

say() { printf '%s\n' "install.sh: $*" >&2; }
fail() {
  say "$1"
  exit "${2-1}"
}

# Where this script really is, also through symbolic links.
self=$0
case $self in */*) ;; *) self=$(command -v -- "$self") ;; esac
while [ -L "$self" ]; do
  target=$(readlink -- "$self" && echo .)
  target=${target%
.}
  case $target in
    /*) self=$target ;;
    *) self=${self%/*}/$target ;;
  esac
done
home=$(CDPATH='' cd -- "${self%/*}" && pwd -P && echo .)
home=${home%
.}

repo=. action=init demo='' purge='' runtime=''
seen_repo=''
count=$#
# The words for `init` are collected behind the ones still to be read.
while [ "$count" -gt 0 ]; do
  word=$1
  shift
  count=$((count - 1))
  case $word in
    -h | --help)
      usage
      exit 0
      ;;
    --check | --shared | --plugin | --local | --tracked-hooks) set -- "$@" "$word" ;;
    --runtime)
      [ "$count" -gt 0 ] || fail "--runtime needs a value: node or deno" 2
      runtime=$1
      shift
      count=$((count - 1))
      ;;
    --runtime=*) runtime=${word#--runtime=} ;;
    --demo) demo=yes ;;
    --uninstall) action=uninstall ;;
    --purge) purge=--purge ;;
    -*) fail "there is no option $word; see --help" 2 ;;
    *)
      [ -z "$seen_repo" ] || fail "one repository at a time: $repo, $word" 2
      seen_repo=yes repo=$word
      ;;
  esac
done
case $runtime in
  '') ;;
  node | deno) set -- "$@" --runtime "$runtime" ;;
  *) fail "--runtime takes node or deno, not $runtime" 2 ;;
esac
[ -z "$purge" ] || [ "$action" = uninstall ] || fail "--purge goes with --uninstall" 2
# A path for the commands below must not look like an option.
case $repo in /*) ;; *) repo=$PWD/$repo ;; esac

command -v git >/dev/null || fail "git is not installed; install git 2.31 or newer"
command -v node >/dev/null || fail "Node is not installed; install Node 20.19 or newer: https://nodejs.org"
node -e '
const [major, minor] = process.versions.node.split(".").map(Number);
process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1);
' || fail "Node $(node --version) is too old; install Node 20.19 or newer"

# Before anything is built: is there something to install in?
if [ -z "$demo" ]; then
  [ -d "$repo" ] || fail "there is no folder $repo" 2
  why=$(git -C "$repo" rev-parse --git-dir 2>&1 >/dev/null) ||
    fail "no usable git repository at $repo: $why" 2
fi

needs_packages() {
  [ ! -f "$home/node_modules/.package-lock.json" ] ||
    [ -n "$(find "$home/package-lock.json" -newer "$home/node_modules/.package-lock.json")" ]
}
needs_build() {
  for made in hook.cjs signalbox.cjs; do
    [ -f "$home/dist/$made" ] || return 0
  done
  newer=$(find "$home/events" "$home/hooks" "$home/src" "$home/scripts/build.ts" "$home/package.json" \
    -type f ! -name hooks.json -newer "$home/dist/signalbox.cjs" | head -n 1)
  [ -n "$newer" ]
}

if needs_build; then
  if needs_packages; then
    command -v npm >/dev/null || fail "npm is not installed; it comes with Node"
    say "installing packages (npm ci)"
    (cd "$home" && npm ci --no-audit --no-fund --loglevel=error >&2) || fail "npm ci failed; see above"
  fi
  say "building"
  (cd "$home" && npm run --silent build >&2) || fail "the build failed; see above"
fi

cli=$home/dist/signalbox.cjs
if [ -n "$demo" ]; then
  say "the demo, on a scratch repository"
  exec node "$cli" demo
fi
if [ "$action" = uninstall ]; then
  say "uninstalling from $repo"
  exec node "$cli" uninstall ${purge:+"$purge"} "$repo"
fi
say "installing in $repo"
node "$cli" init "$@" "$repo"
for word; do
  [ "$word" != --check ] || exit 0
done
say "done; this is how it stands (git signalbox status):"
cd "$repo" && exec node "$cli" status
