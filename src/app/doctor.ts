/** What a check found. Without a `fix` there is nothing `doctor --fix` can do by itself. */
export interface Finding {
  readonly ok: boolean;
  readonly detail: string;
  /** Mends it, never destroying anything, and says what it did. */
  readonly fix?: () => string;
}

export interface Check {
  readonly name: string;
  /** What it means when all is well. */
  readonly means: string;
  /** What `--fix` does where it is not; "": it takes a person, and the finding says what. */
  readonly fix: string;
  readonly run: () => Finding;
}

export interface Diagnosis {
  readonly name: string;
  readonly means: string;
  readonly ok: boolean;
  readonly detail: string;
  /** What was done about it. */
  readonly fixed?: string;
}

/** Runs the checks in order; one that breaks is a finding like any other. */
export function diagnose(checks: readonly Check[], { fix }: { readonly fix: boolean }): Diagnosis[] {
  return checks.map(({ name, means, run }) => {
    try {
      const found = run();
      const { ok, detail } = found;
      if (ok || !fix || found.fix === undefined) return { name, means, ok, detail };
      return { name, means, ok: true, detail, fixed: found.fix() };
    } catch (error) {
      return { name, means, ok: false, detail: `could not be checked: ${(error as Error).message}` };
    }
  });
}
