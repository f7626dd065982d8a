import type { Finding } from "../../app/doctor.ts";
import type { Box } from "../../app/box.ts";
import type { Repo } from "../locate.ts";

export interface Patient {
  readonly repo: Repo;
  readonly boxDir: string;
  /** Opens the signal box; throws where the log is broken. */
  readonly open: () => Box;
  /** The version of this build. */
  readonly version: string;
}

export const OK = (detail: string): Finding => ({ ok: true, detail });

export const BAD = (detail: string, fix?: () => string): Finding =>
  fix === undefined ? { ok: false, detail } : { ok: false, detail, fix };

/** Without what changes how a runtime starts. */
export function bareEnv(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, NODE_EXTRA_CA_CERTS: __, ...env } = process.env;
  return env;
}
