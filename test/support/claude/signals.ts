/** Named one-way switches, by which scripts, tests and hooks of several sessions put their steps in order. */
export interface Signals {
  set(name: string): void;
  /** True once `name` is set, false after `ms`. */
  wait(name: string, ms: number): Promise<boolean>;
  /** Counts somebody in; the last of `parties` sets `name`. */
  arrive(name: string, parties: number): void;
}

export function createSignals(): Signals {
  const latches = new Map<string, { count: number; fire: () => void; fired: Promise<void> }>();
  const latch = (name: string): { count: number; fire: () => void; fired: Promise<void> } => {
    let found = latches.get(name);
    if (found === undefined) {
      let fire = (): void => {};
      const fired = new Promise<void>((resolve) => (fire = resolve));
      latches.set(name, (found = { count: 0, fire, fired }));
    }
    return found;
  };
  return {
    set: (name) => latch(name).fire(),
    async wait(name, ms) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<boolean>((resolve) => (timer = setTimeout(resolve, ms, false)));
      try {
        return await Promise.race([latch(name).fired.then(() => true), late]);
      } finally {
        clearTimeout(timer);
      }
    },
    arrive(name, parties) {
      const at = latch(name);
      at.count += 1;
      if (at.count >= parties) at.fire();
    },
  };
}
