/**
 * Starts the hook bundle beside it with V8's code cache: compiling the bundle is a fifth of what a hook adds to
 * a bare runtime, and Node 20 has no `module.enableCompileCache`. The first run writes the cache, named after
 * the runtime and the very bundle file, so that it can never be another's; whatever is wrong with it, the bundle
 * runs without.
 */
import { readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Script } from "node:vm";

const dir = __dirname;
const bundle = join(dir, "main.cjs");

const { size, mtimeMs, ino } = statSync(bundle);
const cache = join(dir, `code-${process.version}-${process.arch}-${size}-${mtimeMs}-${ino}`);
const cachedData = "deno" in process.versions ? undefined : readCache();
const source = `(function (exports, require, module, __filename, __dirname) {${readFileSync(bundle, "utf8")}\n})`;
const script = new Script(source, { filename: bundle, ...(cachedData === undefined ? {} : { cachedData }) });
const module_ = { exports: {} };
(script.runInThisContext() as (...args: unknown[]) => void)(module_.exports, require, module_, bundle, dir);

if (cachedData === undefined || script.cachedDataRejected === true) {
  // At the end, when the functions that hooks really call have been compiled.
  process.on("exit", () => {
    try {
      const temporary = `${cache}.${process.pid}`;
      writeFileSync(temporary, script.createCachedData());
      renameSync(temporary, cache);
    } catch {
      // A read-only or full disk: the next run compiles again.
    }
  });
}

function readCache(): Buffer | undefined {
  try {
    return readFileSync(cache);
  } catch {
    return undefined;
  }
}
