import test from "node:test";
import * as lib from "../../src/log/mod.ts";
import { ACTIONS, crashAtEvery, failAtEvery } from "./checks.ts";

for (const [name, action] of Object.entries(ACTIONS)) {
  for (const cold of [false, true]) {
    test(`dies at every operation of ${name}${cold ? ", opening included" : ""}`, (t) => {
      t.diagnostic?.(`${crashAtEvery(lib, action, cold)} points`);
    });
  }
  for (const code of ["ENOSPC", "EIO", "short-1", "short-40"] as const) {
    test(`${code} at every operation of ${name}`, (t) => {
      const points = failAtEvery(lib, action, code, false) + failAtEvery(lib, action, code, true);
      t.diagnostic?.(`${points} points`);
    });
  }
}

test("dies at every operation of the creation", (t) => {
  t.diagnostic?.(`${crashAtEvery(lib, ACTIONS["append"]!, true, true)} points`);
});
