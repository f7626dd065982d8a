import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { type Resolved, resolveSettings, settingsFromEnv, type SettingsSource } from "../app/settings.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** Where settings come from, weakest first. Repository settings are data and are never executed. */
export function settingsFiles(
  boxDir: string,
  top: string | undefined,
  env: Env,
): { user: string; repository?: string; local: string } {
  const user = join(
    env["XDG_CONFIG_HOME"] || join(env["HOME"] || homedir(), ".config"),
    "signalbox",
    "config.json",
  );
  const local = join(boxDir, "settings.json");
  return top === undefined ? { user, local } : { user, repository: join(top, ".signalbox.json"), local };
}

/** The settings in force: built-in < user < repository < local < environment. A broken file is a problem, not an error. */
export function loadSettings(boxDir: string, top: string | undefined, env: Env): Resolved {
  const problems: string[] = [];
  const files = settingsFiles(boxDir, top, env);
  const sources = [files.user, files.repository, files.local].flatMap((file) => {
    const source = file === undefined ? undefined : readSource(file, problems);
    return source === undefined ? [] : [source];
  });
  const resolved = resolveSettings([...sources, settingsFromEnv(env)]);
  return { ...resolved, problems: [...problems, ...resolved.problems] };
}

function readSource(file: string, problems: string[]): SettingsSource | undefined {
  try {
    const values: unknown = JSON.parse(readFileSync(file, "utf8").replace(/^\uFEFF/, ""));
    if (typeof values !== "object" || values === null || Array.isArray(values))
      throw new TypeError("not a JSON object");
    return { from: file, values: values as Record<string, unknown> };
  } catch (error) {
    if (
      (error as NodeJS.ErrnoException).code === "ENOENT" ||
      (error as NodeJS.ErrnoException).code === "ENOTDIR"
    )
      return undefined;
    problems.push(`${file}: cannot be used: ${(error as Error).message}`);
    return undefined;
  }
}
