/** How many of these times (ms) fall into the window before `now`, as a rate per hour. */
export function perHour(times: readonly number[], now: number, windowMs: number): number {
  const recent = times.filter((at) => at > now - windowMs).length;
  return (recent * 3_600_000) / windowMs;
}

/**
 * Which of two modes a rate calls for. Between the two thresholds the mode stays what it is, so that a rate that
 * wavers around one of them does not make it flap.
 *
 * @param above at a higher rate the mode is `high`
 * @param below at a lower rate it is `low`; not more than `above`
 */
export function hysteresis<M extends string>(
  mode: M,
  rate: number,
  {
    low,
    high,
    above,
    below,
  }: { readonly low: M; readonly high: M; readonly above: number; readonly below: number },
): M {
  if (rate > above) return high;
  return rate < below ? low : mode;
}
