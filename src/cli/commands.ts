import type { CommandDef } from "citty";

// oxlint-disable-next-line typescript/no-explicit-any -- citty's own type for commands of any options
type AnyCommand = CommandDef<any>;

/** All commands, loaded when asked for. A new one is one file and one line here. */
export const COMMANDS = {
  init: async () => (await import("./init.ts")).initCommand,
  uninstall: async () => (await import("./uninstall.ts")).uninstallCommand,
  status: async () => (await import("./status.ts")).statusCommand,
  blame: async () => (await import("./blame.ts")).blameCommand,
  who: async () => (await import("./who.ts")).whoCommand,
  log: async () => (await import("./log.ts")).logCommand,
  replay: async () => (await import("./replay.ts")).replayCommand,
  reserve: async () => (await import("./reserve.ts")).reserveCommand,
  wait: async () => (await import("./wait.ts")).waitCommand,
  release: async () => (await import("./release.ts")).releaseCommand,
  claim: async () => (await import("./claim.ts")).claimCommand,
  handoff: async () => (await import("./handoff.ts")).handoffCommand,
  suggest: async () => (await import("./suggest.ts")).suggestCommand,
  rescue: async () => (await import("./rescue.ts")).rescueCommand,
  bypass: async () => (await import("./bypass.ts")).bypassCommand,
  sync: async () => (await import("./sync.ts")).syncCommand,
  run: async () => (await import("./run.ts")).runCommand,
  compact: async () => (await import("./compact.ts")).compactCommand,
  schedule: async () => (await import("./schedule.ts")).scheduleCommand,
  doctor: async () => (await import("./doctor.ts")).doctorCommand,
  config: async () => (await import("./config.ts")).configCommand,
  completion: async () => (await import("./completion.ts")).completionCommand,
  demo: async () => (await import("./demo.ts")).demoCommand,
  version: async () => (await import("./version.ts")).versionCommand,
} as const satisfies Record<string, () => Promise<AnyCommand>>;
