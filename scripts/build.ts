/**
 * Builds what gets installed: `dist/hook.cjs` (what hooks run) and `dist/signalbox.cjs` (the command), each one
 * file; and the plugin's `hooks/hooks.json` from the manifest. `--out DIR` builds elsewhere; `--version V` says
 * another version than package.json does (for tests of upgrades).
 */
import { build, type BuildOptions } from "esbuild";
import { argv, chalk, echo, fs, path } from "zx";
import { CLAUDE_HOOKS } from "../hooks/manifest.ts";
import { pluginHooks } from "../src/app/install/claude-settings.ts";

const ROOT = path.dirname(import.meta.dirname);
const OUT = path.resolve(typeof argv["out"] === "string" ? argv["out"] : path.join(ROOT, "dist"));

const { version: own } = (await fs.readJson(path.join(ROOT, "package.json"))) as { version: string };
const version = typeof argv["version"] === "string" ? argv["version"] : own;

const common: BuildOptions = {
  absWorkingDir: ROOT,
  bundle: true,
  // CommonJS: Node 20 starts it 5 ms sooner than a module.
  format: "cjs",
  platform: "node",
  target: "node20",
  minify: true,
  legalComments: "none",
  // Packages' "main" may be UMD, which cannot be bundled.
  mainFields: ["module", "main"],
  logLevel: "warning",
  define: {
    SIGNALBOX_VERSION: JSON.stringify(version),
    SIGNALBOX_SHIM_SH: JSON.stringify(await fs.readFile(path.join(ROOT, "hooks/shim.sh"), "utf8")),
    SIGNALBOX_HOOK_SH: JSON.stringify(await fs.readFile(path.join(ROOT, "hooks/hook.sh"), "utf8")),
    "import.meta.dirname": "__dirname",
  },
};

// The bundle of the hooks is text inside its own starter, which keeps V8's code cache for it (hooks/start.ts).
const main = await build({ ...common, entryPoints: ["hooks/main.ts"], write: false });
await Promise.all([
  build({
    ...common,
    entryPoints: ["hooks/start.ts"],
    outfile: path.join(OUT, "hook.cjs"),
    define: { ...common.define, SIGNALBOX_MAIN: JSON.stringify(main.outputFiles[0]!.text) },
  }),
  build({
    ...common,
    entryPoints: ["src/cli/main.ts"],
    outfile: path.join(OUT, "signalbox.cjs"),
    banner: { js: "#!/usr/bin/env node" },
  }),
]);
await fs.chmod(path.join(OUT, "signalbox.cjs"), 0o755);

const plugin = path.join(ROOT, "hooks/hooks.json");
const wanted = pluginHooks(CLAUDE_HOOKS);
if (argv["out"] === undefined && (await fs.readFile(plugin, "utf8").catch(() => "")) !== wanted)
  await fs.writeFile(plugin, wanted);

for (const name of ["hook.cjs", "signalbox.cjs"]) {
  const { size } = await fs.stat(path.join(OUT, name));
  echo(`${name.padEnd(14)} ${chalk.bold((size / 1024).toFixed(1))} KB`);
}
