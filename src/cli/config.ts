import { boxDirOf } from "../adapters/box.ts";
import { scheduleProblem } from "../adapters/scheduler/expression.ts";
import { jsonFile } from "../adapters/json-file.ts";
import { loadSettings, settingsFiles } from "../adapters/settings.ts";
import { checkSetting, parseValue, type SettingName, SETTINGS, variableOf } from "../app/settings.ts";
import { command, JSON_OPTION } from "./command.ts";
import { repoHere } from "./context.ts";
import { EXIT, usageError } from "./exit.ts";
import { out, outJson, say, styled } from "./output.ts";

export const configCommand = command({
  name: "config",
  description: "show all settings, or: config NAME, config NAME VALUE, config --unset NAME",
  args: {
    user: { type: "boolean", description: "for all your repositories, not just this one" },
    unset: { type: "boolean", description: "back to what stands without it" },
    ...JSON_OPTION,
  },
  words: 2,
  run({ args }) {
    const [name, text] = args._;
    const repo = repoHere();
    const boxDir = boxDirOf(repo.commonDir);
    const files = settingsFiles(boxDir, repo.top, process.env);
    if (name !== undefined && !Object.hasOwn(SETTINGS, name))
      throw usageError(checkSetting(name, undefined) ?? name);
    if (args.unset && (name === undefined || text !== undefined))
      throw usageError("config --unset takes the name of a setting, and nothing else");
    if (name !== undefined && (text !== undefined || args.unset)) {
      const value = args.unset ? undefined : parseValue(text ?? "");
      const problem = args.unset ? undefined : (checkSetting(name, value) ?? scheduleProblem(name, value));
      if (problem !== undefined) throw usageError(problem);
      const db = jsonFile<Record<string, unknown>>(args.user ? files.user : files.local, {});
      if (args.unset) delete db.data[name];
      else db.data[name] = value;
      db.write();
      return EXIT.ok;
    }
    const { settings, origins, problems } = loadSettings(boxDir, repo.top, process.env);
    for (const problem of problems) say(`signalbox: ${problem}`);
    const names = (name === undefined ? Object.keys(SETTINGS) : [name]) as SettingName[];
    if (args.json) {
      outJson("config", 1, {
        settings: Object.fromEntries(
          names.map((n) => [n, { value: settings[n], origin: origins[n] ?? "built-in" }]),
        ),
        problems,
      });
    } else if (name === undefined) {
      for (const n of names) {
        out(
          `${styled("bold", n)} = ${JSON.stringify(settings[n])}${origins[n] === undefined ? "" : styled("dim", `  (${origins[n]})`)}`,
        );
        out(styled("dim", `  ${SETTINGS[n].doc}; ${variableOf(n)}`));
      }
    } else {
      out(JSON.stringify(settings[names[0]!]));
    }
    return problems.length === 0 ? EXIT.ok : EXIT.failed;
  },
});
