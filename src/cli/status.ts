import { look } from "../app/box.ts";
import { statusOf } from "../app/status.ts";
import { command, JSON_OPTION } from "./command.ts";
import { boxHere } from "./context.ts";
import { out, outJson } from "./output.ts";
import { renderStatus } from "./render-status.ts";

export const statusCommand = command({
  name: "status",
  description: "who is here, what each holds and until when",
  args: JSON_OPTION,
  words: 0,
  run({ args }) {
    const { box } = boxHere();
    const { states, now, gone } = look(box);
    const view = statusOf(states, { now, gone, seq: box.log.head.seq });
    if (args.json) outJson("status", 1, view);
    else out(renderStatus(view));
  },
});
