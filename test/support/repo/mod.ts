/**
 * Scratch repositories with signalbox installed, as a user has it: real git, the built command, the installed hook
 * entry, and sessions that are real processes.
 *
 *     test("…", async (t) => {
 *       const repo = await makeScratch(t);
 *       const ada = await repo.startSession("ada");
 *       const { denied } = await ada.edit("a.txt");
 *     });
 */
export { built, builtCommand } from "./build.ts";
export { cleanEnv } from "./environment.ts";
export { type Done, must, run } from "./exec.ts";
export { ofType, readEvents } from "./log.ts";
export * as payload from "./payload.ts";
export { type Cleaner, makeScratch, type ScratchOptions, ScratchRepo } from "./scratch.ts";
export { type Answer, FakeSession, parseAnswer } from "./session.ts";
