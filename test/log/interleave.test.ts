import test from "node:test";
import * as lib from "../../src/log/mod.ts";
import { ACTIONS, interleave, populated } from "./checks.ts";

const start = populated(lib);
const deep = process.env["SIGNALBOX_TORTURE"] === "1";

for (const [nameA, a] of Object.entries(ACTIONS)) {
  test(`${nameA}, preempted at every operation by every action`, (t) => {
    let schedules = 0;
    for (const b of Object.values(ACTIONS)) {
      schedules += interleave(lib, a, b, {}, start);
      schedules += interleave(lib, a, b, { cold: true }, start);
      schedules += interleave(lib, a, b, { cut: "strict" }, start);
    }
    t.diagnostic?.(`${schedules} schedules`);
  });
  test(`${nameA}, preempted twice`, { skip: !deep && "SIGNALBOX_TORTURE=1 runs it" }, (t) => {
    let schedules = 0;
    for (const b of Object.values(ACTIONS)) {
      for (const third of Object.values(ACTIONS)) schedules += interleave(lib, a, b, { third }, start);
    }
    t.diagnostic?.(`${schedules} schedules`);
  });
}
