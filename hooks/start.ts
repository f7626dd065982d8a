/**
 * What `hook.cjs` is: the bundle of main.ts as text, and this, which runs it with V8's code cache. Compiling the
 * bundle is a fifth of what a hook adds to a bare runtime, and Node 20 has no `module.enableCompileCache`.
 *
 * The first run writes the cache beside it, named after the runtime and this very file, so that it can never be
 * another's. Whatever is wrong with it, the bundle runs without; should the runtime itself choke on it, the
 * entry (hook.sh) removes it.
 */
import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Script } from "node:vm";

/** Put in by the build. */
declare const SIGNALBOX_MAIN: string;

const PREFIX = "code-";
const { size, mtimeMs, ino } = statSync(__filename);
const name = `${PREFIX}${process.version}-${process.arch}-${size}-${mtimeMs}-${ino}`;
const cachedData = "deno" in process.versions ? undefined : readCache();
const script = new Script(
  `(function (exports, require, module, __filename, __dirname) {${SIGNALBOX_MAIN}\n})`,
  {
    filename: join(__dirname, "main.cjs"),
    ...(cachedData === undefined ? {} : { cachedData }),
  },
);
const inner = { exports: {} };
(script.runInThisContext() as (...args: unknown[]) => void)(
  inner.exports,
  require,
  inner,
  __filename,
  __dirname,
);

if (!("deno" in process.versions) && (cachedData === undefined || script.cachedDataRejected === true)) {
  // At the end, when the functions that hooks really call have been compiled.
  process.on("exit", writeCache);
}

function readCache(): Buffer | undefined {
  try {
    return readFileSync(join(__dirname, name));
  } catch {
    return undefined;
  }
}

function writeCache(): void {
  try {
    const temporary = join(__dirname, `${name}.${process.pid}`);
    writeFileSync(temporary, script.createCachedData());
    renameSync(temporary, join(__dirname, name));
    for (const other of readdirSync(__dirname))
      if (other.startsWith(PREFIX) && other !== name) rmSync(join(__dirname, other), { force: true });
  } catch {
    // A read-only or full disk: the next run compiles again.
  }
}
