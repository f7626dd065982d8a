import { basename, dirname } from "node:path";
import type { Tracker } from "../../app/ports.ts";
import type { Settings } from "../../app/settings.ts";
import type { Repo } from "../locate.ts";
import { beads } from "./beads.ts";

/** Where a tracker may be looked for: tops of working trees, the session's own first. */
export interface TrackerPlace {
  readonly tops: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** All trackers there are; each answers with itself where it is in use. A new one is one file and one line here. */
const TRACKERS: Readonly<
  Record<Exclude<Settings["claims.tracker"], "auto" | "none">, (place: TrackerPlace) => Tracker | undefined>
> = { beads };

/** The tracker that this working tree, or else the main checkout, uses; `undefined` if there is none, or none is wanted. */
export function trackerOf(
  { top, commonDir }: Pick<Repo, "top" | "commonDir">,
  { "claims.tracker": wanted }: Pick<Settings, "claims.tracker">,
  env: TrackerPlace["env"] = process.env,
): Tracker | undefined {
  if (wanted === "none") return undefined;
  const main = basename(commonDir) === ".git" ? [dirname(commonDir)] : [];
  const place = { tops: [...(top === undefined ? [] : [top]), ...main], env };
  for (const find of wanted === "auto" ? Object.values(TRACKERS) : [TRACKERS[wanted]]) {
    const found = find(place);
    if (found !== undefined) return found;
  }
  return undefined;
}
