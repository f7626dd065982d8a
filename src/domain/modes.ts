import { fold } from "./fold.ts";
import { enter, lookUp, type Table } from "./table.ts";

export interface ModesState {
  /** The mode each balancing loop is in, and since when (ms); those that never switched are not there. */
  modes: Table<{ mode: string; since: number }>;
}

const MODES_KEPT = 16;

/** The modes of the balancing loops: what `policy.switched` said last. */
export const modes = fold<ModesState>("modes", 1, () => ({ modes: {} }), {
  "policy.switched": (state, { policy, to }, { t }) => {
    delete state.modes[policy];
    enter(state.modes, policy, { mode: to, since: t });
    for (const old of Object.keys(state.modes).slice(0, -MODES_KEPT)) delete state.modes[old];
  },
});

/** The mode a loop is in; `initial` before its first switch. */
export function modeOf<M extends string>(state: ModesState, policy: string, initial: M): M {
  return (lookUp(state.modes, policy)?.mode as M | undefined) ?? initial;
}
