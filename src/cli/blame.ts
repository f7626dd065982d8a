import { logFolder } from "../adapters/log-folder.ts";
import { blame, type Deed } from "../app/blame.ts";
import { shortName } from "../app/identity.ts";
import { moments } from "../app/replay.ts";
import { command, JSON_OPTION } from "./command.ts";
import { boxHere } from "./context.ts";
import { EXIT, usageError } from "./exit.ts";
import { out, outJson, printable } from "./output.ts";
import { targetsOf } from "./targets.ts";

export const blameCommand = command({
  name: "blame",
  description: "who held a file, wrote and committed it, and who was refused it",
  words: 1,
  args: {
    path: { type: "positional", description: "the file; it need not be there any more", required: true },
    ...JSON_OPTION,
  },
  run({ args }) {
    const { repo, box } = boxHere();
    const [target] = targetsOf([args.path], { repo, box, literal: true });
    if (target === undefined || target.kind === "glob")
      throw usageError(`blame takes one file, not ${JSON.stringify(args.path)}`);
    const deeds = blame(moments(box.log.records({ from: logFolder(box.dir).first })), target.path, repo.tree);
    if (args.json) outJson("blame", 1, { path: target.path, tree: repo.tree, deeds });
    else if (deeds.length === 0) out(`nobody has had ${printable(target.path)} on record`);
    else for (const deed of deeds) out(printable(line(deed)));
    return EXIT.ok;
  },
});

function line(deed: Deed): string {
  switch (deed.kind) {
    case "held": {
      const { session, via, from, to, writes } = deed;
      const edits = writes === 0 ? "" : `, wrote it ${writes === 1 ? "once" : `${writes} times`}`;
      return `${day(from)} ${time(from)}–${to === undefined ? "now  " : time(to)}  session ${shortName(session)} held it (${via})${edits}`;
    }
    case "wrote":
      return `${day(deed.at)} ${time(deed.at)}        session ${shortName(deed.session)} wrote it, without having it reserved`;
    case "refused":
      return `${day(deed.at)} ${time(deed.at)}        session ${shortName(deed.session)} was refused it, held by ${deed.holders.map(shortName).join(", ")}`;
    case "committed":
      return `${day(deed.at)} ${time(deed.at)}        ${deed.session === undefined ? "a person" : `session ${shortName(deed.session)}`} committed it: ${deed.commit.slice(0, 8)} ${JSON.stringify(deed.subject)}`;
  }
}

const two = (n: number) => String(n).padStart(2, "0");

function day(t: number): string {
  const at = new Date(t);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

function time(t: number): string {
  const at = new Date(t);
  return `${two(at.getHours())}:${two(at.getMinutes())}`;
}
