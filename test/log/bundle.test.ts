/** The hot path loads node:fs and node:path only; the rest works from a minified bundle when it is used. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { temporary } from "./real-disk.ts";

const PROGRAM = `
  import { openLog } from "MODULE";
  const loaded = new Set();
  for (const get of ["getBuiltinModule"]) {
    const real = process[get];
    process[get] = (name) => (loaded.add(name), real.call(process, name));
  }
  const fold = { name: "n", version: 1, initial: () => ({ n: 0 }), apply: (s) => void s.n++ };
  const open = () => openLog({ dir: process.argv[2], projections: [fold], create: true, snapshotEvery: 2 });
  const event = () => ({ draft: { events: [{}] }, result: 0 });
  let log = open();
  for (let i = 0; i < 5; i++) log.append(event);
  log.close();
  log = open();
  log.append(event);
  const hot = [...loaded];
  log.compact();
  const records = [...log.records()].length;
  console.log(JSON.stringify({ hot, cold: [...loaded].sort(), records }));
`;

test("one minified CommonJS file: nothing but fs and path on the hot path, zlib and crypto when compacting", () => {
  temporary((dir) => {
    const outfile = path.join(dir, "bundle.cjs");
    const module = fileURLToPath(new URL("../../src/log/mod.ts", import.meta.url));
    buildSync({
      stdin: { contents: PROGRAM.replace("MODULE", module), resolveDir: dir },
      outfile,
      bundle: true,
      minify: true,
      format: "cjs",
      platform: "node",
      target: "node20",
    });
    const required = new Set(
      [...fs.readFileSync(outfile, "utf8").matchAll(/require\("([^"]+)"\)/g)].map(([, name]) => name),
    );
    assert.deepEqual([...required].sort(), ["node:buffer", "node:fs", "node:path"]);
    const node = process.versions["deno"] === undefined ? process.execPath : "node";
    const { NODE_OPTIONS: _, NODE_EXTRA_CA_CERTS: __, ...env } = process.env;
    const { stdout, stderr } = spawnSync(node, [outfile, path.join(dir, "log")], { encoding: "utf8", env });
    assert.deepEqual(
      JSON.parse(stdout || "null"),
      { hot: [], cold: ["node:crypto", "node:zlib"], records: 7 },
      stderr,
    );
  });
});
