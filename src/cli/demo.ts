import { command } from "./command.ts";
import { runDemo } from "./demo-script.ts";

export const demoCommand = command({
  name: "demo",
  description: "the main job on a scratch repository: two sessions, a refusal, two commits, the replay",
  hidden: true,
  args: {},
  words: 0,
  run: () => runDemo(),
});
