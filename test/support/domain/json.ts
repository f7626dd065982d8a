/** What a snapshot makes of a state: written as JSON, read again. */
export function roundTrip<S>(state: S): S {
  return JSON.parse(JSON.stringify(state)) as S;
}

/** JSON with sorted keys. Two states are the same if this is: a field that is `undefined` is none. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, v: unknown) =>
    typeof v === "object" && v !== null && !Array.isArray(v)
      ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1)))
      : v,
  );
}

/**
 * Where a value is something JSON cannot hold: NaN, a Map, a function, a hole in an array. None if it can.
 * An object's field that is `undefined` is no field.
 */
export function notJson(value: unknown, where = "state"): string[] {
  if (value === null || typeof value === "string" || typeof value === "boolean") return [];
  if (typeof value === "number") return Number.isFinite(value) ? [] : [`${where} is ${value}`];
  if (Array.isArray(value)) return Array.from(value, (item, i) => notJson(item, `${where}[${i}]`)).flat();
  if (typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype)
    return Object.entries(value).flatMap(([key, v]) =>
      v === undefined ? [] : notJson(v, `${where}.${key}`),
    );
  return [`${where} is a ${typeof value}`];
}

/** Freezes a value to its depth, so that whoever changes it throws. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
