/**
 * A state's table by an outside string: a session, a task, a tree may be named `constructor` or `__proto__`. As
 * plain JSON objects such tables survive a snapshot, where a `Map` or an object without prototype would not;
 * reading and writing them through these two finds and makes only entries of their own.
 */
export type Table<T> = Record<string, T>;

/** What stands there under that name; `undefined` if nothing does. */
export function lookUp<T>(table: Readonly<Table<T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/** Makes or replaces the entry of that name. (`delete` takes it out again, whatever its name.) */
export function enter<T>(table: Table<T>, name: string, value: T): void {
  // Assigning to `__proto__` would change what the table inherits instead.
  if (name === "__proto__")
    Object.defineProperty(table, name, { value, writable: true, enumerable: true, configurable: true });
  else table[name] = value;
}
