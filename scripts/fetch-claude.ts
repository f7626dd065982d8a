/**
 * Fetches the pinned Claude Code CLI for the real-client tests and prints the path of its binary.
 *
 *     npx tsx scripts/fetch-claude.ts
 *
 * It is 380 MB, so it lives in a cache outside the package ($SIGNALBOX_CLAUDE_CACHE, else the user's cache
 * folder) and is fetched once. A CLI named by $CLAUDE_BIN is used as it is.
 */
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { $ } from "zx";

/** The client that fixtures were recorded on. An unpinned install under Node 20 silently gives an old one. */
export const CLAUDE_VERSION = "2.1.330";

/** The platform's package brings the binary; the main package would link it in a postinstall script only. */
const SCOPE = "node_modules/@anthropic-ai";

/**
 * The path of a CLI that runs.
 *
 * @throws Error saying why there is none
 */
export async function fetchClaude(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  if (env["CLAUDE_BIN"]) {
    const given = resolve(env["CLAUDE_BIN"]);
    const version = await versionOf(given);
    if (version !== CLAUDE_VERSION)
      console.error(`CLAUDE_BIN is ${version}; the tests were written for ${CLAUDE_VERSION}`);
    return given;
  }
  const cache = cacheDir(env);
  return binaryIn(cache) ?? (await install(cache));
}

function cacheDir(env: NodeJS.ProcessEnv): string {
  if (env["SIGNALBOX_CLAUDE_CACHE"]) return resolve(env["SIGNALBOX_CLAUDE_CACHE"]);
  const caches = env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  return join(caches, "signalbox", `claude-${CLAUDE_VERSION}`);
}

function binaryIn(dir: string): string | undefined {
  const scope = join(dir, SCOPE);
  if (!existsSync(scope)) return undefined;
  return readdirSync(scope)
    .flatMap((name) => [join(scope, name, "claude"), join(scope, name, "claude.exe")])
    .find((file) => existsSync(file));
}

/** Installs beside the cache and renames: whoever finds the cache finds it whole, and racing fetches are harmless. */
async function install(cache: string): Promise<string> {
  mkdirSync(dirname(cache), { recursive: true });
  removeAbandoned(cache);
  const temp = mkdtempSync(`${cache}.`);
  try {
    console.error(`fetching Claude Code ${CLAUDE_VERSION} (380 MB) into ${cache}`);
    // --force: its "engines" ask for Node 22, which the native binary does not need.
    const flags = ["--force", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    const npm = await $({
      quiet: true,
      nothrow: true,
    })`npm install @anthropic-ai/claude-code@${CLAUDE_VERSION} ${flags} --prefix ${temp}`;
    if (npm.exitCode !== 0)
      throw new Error(`npm install ended with ${npm.exitCode}: ${firstLines(npm.stderr)}`);
    const fetched = binaryIn(temp);
    if (fetched === undefined)
      throw new Error(`the package has no binary for ${process.platform} ${process.arch}`);
    const version = await versionOf(fetched);
    if (version !== CLAUDE_VERSION) throw new Error(`npm gave ${version} instead`);
    // What is there has no binary, or another fetch came first.
    if (binaryIn(cache) === undefined) {
      rmSync(cache, { recursive: true, force: true });
      renameSync(temp, cache);
    }
    return binaryIn(cache)!;
  } finally {
    rmSync(temp, { recursive: true, force: true });
  }
}

/** A killed fetch leaves hundreds of megabytes behind; an hour is longer than any fetch takes. */
function removeAbandoned(cache: string): void {
  for (const name of readdirSync(dirname(cache))) {
    const path = join(dirname(cache), name);
    if (name.startsWith(`${basename(cache)}.`) && Date.now() - statSync(path).mtimeMs > 3_600_000)
      rmSync(path, { recursive: true, force: true });
  }
}

function firstLines(text: string): string {
  return text.trim().split("\n").slice(0, 4).join("\n");
}

async function versionOf(file: string): Promise<string> {
  accessSync(file, constants.X_OK);
  const said = await $({ quiet: true, nothrow: true })`${file} --version`;
  if (said.exitCode !== 0) throw new Error(`${file} does not run: ${said.stderr.trim() || said.message}`);
  return said.stdout.trim().split(" ")[0] ?? "";
}

if (process.argv[1] === import.meta.filename) {
  try {
    console.log(await fetchClaude());
  } catch (error) {
    console.error(`Cannot fetch the Claude Code CLI ${CLAUDE_VERSION}: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}
