import { command } from "./command.ts";
import { out } from "./output.ts";

declare const SIGNALBOX_VERSION: string | undefined;

/** Of the build; "dev" when run from source. */
export const VERSION = typeof SIGNALBOX_VERSION === "string" ? SIGNALBOX_VERSION : "dev";

export const versionCommand = command({
  name: "version",
  description: "the version of this build",
  args: {},
  words: 0,
  run() {
    out(VERSION);
  },
});
