/** The example in docs/log.md does what it says there, under Node and under Deno. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { temporary } from "./real-disk.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const doc = fs.readFileSync(path.join(root, "docs/log.md"), "utf8");
const [example = ""] = /(?<=```ts\n)[\s\S]*?(?=```)/.exec(doc) ?? [];
const [expected = ""] = /(?<=```text\n)[\s\S]*?(?=```)/.exec(doc) ?? [];

const deno = path.join(root, "node_modules/.bin/deno");
const node = process.versions["deno"] === undefined ? process.execPath : "node";

const RUNTIMES: [name: string, command: string, args: string[], there: boolean][] = [
  ["Node", node, ["--import", path.join(root, "node_modules/tsx/dist/esm/index.mjs")], true],
  ["Deno", deno, ["run", "-A", "--no-check"], fs.existsSync(deno)],
];

for (const [name, command, args, there] of RUNTIMES) {
  test(`the example of docs/log.md, ${name}`, { skip: !there && `${name} is not there` }, () => {
    temporary((dir) => {
      const file = path.join(dir, "example.ts");
      const module = new URL("../../src/log/mod.ts", import.meta.url).href;
      fs.writeFileSync(path.join(dir, "package.json"), '{"type":"module"}');
      fs.writeFileSync(file, example.replace('"signalbox/log"', JSON.stringify(module)));
      const { NODE_OPTIONS: _, NODE_EXTRA_CA_CERTS: __, ...env } = process.env;
      const { stdout, stderr } = spawnSync(command, [...args, file, path.join(dir, "log")], {
        encoding: "utf8",
        env,
      });
      assert.equal(stdout, expected, stderr);
    });
  });
}
