import { recordPush } from "../../src/app/movements.ts";
import type { GitHandler } from "./call.ts";

/** githooks(5) pre-push. The remote's URL may hold a password, so its name is all that is kept. */
export const prePush: GitHandler = ({ box, args, stdin, committer }) => {
  const [name = "", url = ""] = args;
  recordPush(box, committer.session, name === url ? "(url)" : name, stdin);
  return {};
};
