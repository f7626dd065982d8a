export { type Done, type FakeSession, makeScratch, run, type ScratchRepo } from "../repo/mod.ts";
export { editPayload } from "../repo/payload.ts";
