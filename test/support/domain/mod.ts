export { anyCommands, anyEvent, anyHistory, anyTarget, HOSTILE, plausibleHistory } from "./arbitraries.ts";
export { type Act, type Asked, type Command, drive, type Observer } from "./driver.ts";
export * from "./events.ts";
export { at, given, min, type Now } from "./given.ts";
export {
  evolve,
  FOLD_LIST,
  type FoldName,
  type History,
  initialStates,
  type Moment,
  run,
} from "./history.ts";
export { canonical, deepFreeze, notJson, roundTrip } from "./json.ts";
