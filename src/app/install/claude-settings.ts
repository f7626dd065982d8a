/**
 * Our entries in a Claude Code settings file. Edits are surgical: what is not ours keeps its bytes, formatting,
 * comments and order.
 */
import {
  applyEdits,
  type EditResult,
  findNodeAtLocation,
  getNodeValue,
  type JSONPath,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from "jsonc-parser";
import { isDeepStrictEqual } from "node:util";
import { type Bytes, type ClaudeHookSpec, InstallProblem, utf8 } from "./model.ts";

/** `exec`: the entry by its absolute path, no shell. `portable`: a command that any clone can carry. */
export type Form = { readonly kind: "exec"; readonly entry: string } | { readonly kind: "portable" };

interface Handler {
  readonly type: string;
  readonly command: string;
  readonly args?: readonly string[];
  readonly timeout?: number;
  readonly asyncRewake?: boolean;
}

interface Group {
  readonly matcher?: string;
  readonly hooks: readonly Handler[];
}

const BOM = "\u00EF\u00BB\u00BF";

/** The settings with our entries, and no older ones of ours. Unchanged where they are there already. */
export function withHooks(
  bytes: Bytes,
  specs: readonly ClaudeHookSpec[],
  form: Form,
  path = "settings",
): Bytes {
  const { bom, body } = parts(bytes);
  let doc = new Doc(body.trim() === "" ? "{}\n" : body, path);
  const wanted = wantedGroups(specs, form);
  doc = replaceOurs(doc, wanted);
  for (const [event, groups] of wanted) {
    for (const group of groups) {
      const there = doc.groups(event);
      if (there.some((one) => isDeepStrictEqual(one, group))) continue;
      if (!doc.has(["hooks"])) doc = doc.add([], {}, "hooks");
      doc = doc.has(["hooks", event]) ? doc.add(["hooks", event], group) : doc.add(["hooks"], [group], event);
    }
  }
  return bom + doc.body;
}

/** The settings without our entries, and without the containers that only they filled. */
export function withoutHooks(bytes: Bytes, path = "settings"): Bytes {
  if (!mentionsUs(bytes)) return bytes;
  const { bom, body } = parts(bytes);
  return bom + replaceOurs(new Doc(body, path), new Map()).body;
}

/** Whether a settings file runs our entry. */
export function mentionsUs(bytes: Bytes): boolean {
  return bytes.includes("/signalbox/bin/hook");
}

/** Names of enabled plugins that are us, in a settings file; [] if it cannot be read. */
export function enabledPlugins(bytes: Bytes): string[] {
  const root = parseTree(parts(bytes).body, [], { allowTrailingComma: true });
  const value: unknown = root === undefined ? undefined : getNodeValue(root);
  const plugins = isObject(value) ? value["enabledPlugins"] : undefined;
  return isObject(plugins)
    ? Object.keys(plugins).filter((name) => name.startsWith("signalbox@") && plugins[name] !== false)
    : [];
}

/** hooks/hooks.json: this folder as a Claude Code plugin. */
export function pluginHooks(specs: readonly ClaudeHookSpec[]): string {
  const hooks = Object.fromEntries(wantedGroups(specs, { kind: "portable" }));
  const description = "signalbox: run `signalbox init --plugin` in a repository; elsewhere these do nothing";
  return `${JSON.stringify({ description, hooks }, undefined, 2)}\n`;
}

function handlerOf({ name, timeoutS, rewake }: ClaudeHookSpec, form: Form): Handler {
  const more = { timeout: timeoutS, ...(rewake === true ? { asyncRewake: true } : {}) };
  if (form.kind === "exec")
    return { type: "command", command: utf8(form.entry), args: ["claude", name], ...more };
  const entry = '"$d/signalbox/bin/hook"';
  const find = "d=$(git rev-parse --path-format=absolute --git-common-dir 2>/dev/null)";
  return {
    type: "command",
    command: `${find} && [ -x ${entry} ] && exec ${entry} claude ${name}; exit 0`,
    ...more,
  };
}

function wantedGroups(specs: readonly ClaudeHookSpec[], form: Form): Map<string, Group[]> {
  const wanted = new Map<string, Group[]>();
  for (const spec of specs) {
    const { event, matcher } = spec;
    const group = { ...(matcher === undefined ? {} : { matcher }), hooks: [handlerOf(spec, form)] };
    wanted.set(event, [...(wanted.get(event) ?? []), group]);
  }
  return wanted;
}

/** Takes out what is ours and not wanted; where something wanted can stand in its place, it does. */
function replaceOurs(start: Doc, wanted: ReadonlyMap<string, readonly Group[]>): Doc {
  let doc = start;
  for (const event of doc.events()) {
    const right = wanted.get(event) ?? [];
    const kept: Group[] = [];
    let removed = false;
    for (let i = 0; i < doc.groups(event).length;) {
      const group = doc.groups(event)[i]!;
      const handlers = isGroup(group) ? group.hooks : [];
      const isRight = right.some((one) => isDeepStrictEqual(one, group));
      if (!handlers.some(isOurs) || (isRight && !kept.some((one) => isDeepStrictEqual(one, group)))) {
        if (isRight) kept.push(group as Group);
        i += 1;
        continue;
      }
      if (handlers.every(isOurs)) {
        const place = right.find(
          (one) =>
            one.matcher === (group as Group).matcher &&
            !doc.groups(event).some((other) => isDeepStrictEqual(other, one)),
        );
        if (place === undefined) {
          doc = doc.remove(["hooks", event, i]);
          removed = true;
        } else {
          doc = doc.replace(["hooks", event, i], place);
          kept.push(place);
          i += 1;
        }
      } else {
        const own = handlers.findIndex(isOurs);
        doc = doc.remove(["hooks", event, i, "hooks", own]);
      }
    }
    if (removed && doc.groups(event).length === 0 && right.length === 0) {
      doc = doc.remove(["hooks", event]);
      if (doc.events().length === 0 && wanted.size === 0) doc = doc.remove(["hooks"]);
    }
  }
  return doc;
}

function isOurs(handler: unknown): boolean {
  return isObject(handler) && typeof handler["command"] === "string" && mentionsUs(handler["command"]);
}

function isGroup(value: unknown): value is Group {
  return isObject(value) && Array.isArray(value["hooks"]);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parts(bytes: Bytes): { bom: Bytes; body: Bytes } {
  return bytes.startsWith(BOM) ? { bom: BOM, body: bytes.slice(BOM.length) } : { bom: "", body: bytes };
}

/** A settings file that parses, and edits of it. */
class Doc {
  readonly body: Bytes;
  readonly #path: string;
  readonly #root: Node;
  readonly #value: Record<string, unknown>;

  /** @throws InstallProblem saying where and what */
  constructor(body: Bytes, path: string) {
    this.body = body;
    this.#path = path;
    const errors: ParseError[] = [];
    const root = parseTree(body, errors, { allowTrailingComma: true });
    const [first] = errors;
    if (first !== undefined) {
      const before = body.slice(0, first.offset).split("\n");
      throw new InstallProblem(
        `${path}:${before.length}:${before.at(-1)!.length + 1}: not valid JSON (${printParseErrorCode(first.error)}); mend it and run this again; nothing was changed`,
      );
    }
    if (root?.type !== "object") throw this.#problem("is not a JSON object");
    this.#root = root;
    // Without the parser's null prototypes, which no comparison takes for equal.
    this.#value = JSON.parse(JSON.stringify(getNodeValue(root))) as Record<string, unknown>;
    this.#checkShape();
  }

  events(): string[] {
    return isObject(this.#value["hooks"]) ? Object.keys(this.#value["hooks"]) : [];
  }

  groups(event: string): readonly unknown[] {
    const groups = isObject(this.#value["hooks"]) ? this.#value["hooks"][event] : undefined;
    return Array.isArray(groups) ? groups : [];
  }

  has(path: JSONPath): boolean {
    let value: unknown = this.#value;
    for (const key of path) {
      if (!isObject(value) || !Object.hasOwn(value, key)) return false;
      value = value[key as string];
    }
    return true;
  }

  remove(path: JSONPath): Doc {
    const value = this.#node(path);
    const node = value.parent?.type === "property" ? value.parent : value;
    const container = node.parent!;
    const siblings = container.children!;
    const at = siblings.indexOf(node);
    const [before, after] = [siblings[at - 1], siblings[at + 1]];
    if (after !== undefined) return this.#cut(node.offset, after.offset);
    if (before !== undefined) return this.#cut(endOf(before), endOf(node));
    return this.#cut(container.offset + 1, endOf(container) - 1);
  }

  #cut(from: number, to: number): Doc {
    return this.#edited([{ offset: from, length: to - from, content: "" }]);
  }

  replace(path: JSONPath, value: unknown): Doc {
    const { offset, length } = this.#node(path);
    return this.#edited([{ offset, length, content: this.#render(value, this.#indentAt(offset)) }]);
  }

  /** Adds a member to the object, or an element to the list, at `path`; nothing that is there is moved. */
  add(path: JSONPath, value: unknown, key?: string): Doc {
    const { offset, length, children = [] } = this.#node(path);
    const last = children.at(-1);
    const outer = this.#indentAt(offset);
    const inner = last === undefined ? outer + this.#unit : this.#indentAt(last.offset);
    const name = key === undefined ? "" : `${JSON.stringify(key)}:${this.#isCompact ? "" : " "}`;
    const content = this.#newline + (this.#isCompact ? "" : inner) + name + this.#render(value, inner);
    if (last !== undefined)
      return this.#edited([{ offset: last.offset + last.length, length: 0, content: `,${content}` }]);
    const hasRoom = this.body.slice(offset, offset + length).includes("\n");
    const end = hasRoom || this.#isCompact ? "" : this.#newline + outer;
    return this.#edited([{ offset: offset + 1, length: 0, content: content + end }]);
  }

  #edited(edits: EditResult): Doc {
    return new Doc(applyEdits(this.body, edits), this.#path);
  }

  #node(path: JSONPath): Node {
    const node = findNodeAtLocation(this.#root, path);
    if (node === undefined) throw this.#problem(`has no ${path.join(".")}`);
    return node;
  }

  /** A file of one line stays one. */
  get #isCompact(): boolean {
    return !this.body.trim().includes("\n") && this.body.trim() !== "{}";
  }

  get #newline(): string {
    if (this.#isCompact) return "";
    return this.body.includes("\r\n") ? "\r\n" : "\n";
  }

  /** One level of indentation, as the file's first indented line has it. */
  get #unit(): string {
    return /\n([ \t]+)\S/.exec(this.body)?.[1] ?? "  ";
  }

  #indentAt(offset: number): string {
    const line = this.body.slice(this.body.lastIndexOf("\n", offset - 1) + 1, offset);
    return /^[ \t]*/.exec(line)![0];
  }

  #render(value: unknown, indent: string): string {
    if (this.#isCompact) return JSON.stringify(value);
    return JSON.stringify(value, undefined, this.#unit).replaceAll("\n", this.#newline + indent);
  }

  #checkShape(): void {
    const hooks = keysOf(this.#root).filter((key) => key === "hooks");
    if (hooks.length > 1) throw this.#problem('has the key "hooks" twice');
    const value = this.#value["hooks"];
    if (value === undefined) return;
    if (!isObject(value)) throw this.#problem('has a key "hooks" that is not an object');
    for (const [event, groups] of Object.entries(value)) {
      if (!Array.isArray(groups)) throw this.#problem(`has hooks for ${event} that are not a list`);
    }
    const node = this.#root.children?.find((one) => one.children?.[0]?.value === "hooks")?.children?.[1];
    const events = node === undefined ? [] : keysOf(node);
    const twice = events.find((event, i) => events.indexOf(event) !== i);
    if (twice !== undefined) throw this.#problem(`has hooks for ${twice} twice`);
  }

  #problem(what: string): InstallProblem {
    return new InstallProblem(`${this.#path} ${what}; mend it and run this again; nothing was changed`);
  }
}

function endOf({ offset, length }: Node): number {
  return offset + length;
}

function keysOf(node: Node): string[] {
  return (node.children ?? []).map((property) => String(property.children?.[0]?.value));
}
