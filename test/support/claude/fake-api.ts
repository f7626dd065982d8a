/**
 * A scripted stand-in for the Anthropic Messages API, on 127.0.0.1 only. It drives the real client with no model
 * and no network: whenever the client asks "what next?", it gets the next step of a script. A request finds its
 * script by the marker that the prompt carries, `[[script:alice]]`; a subagent gets one of its own by a marker in
 * the Agent call's `prompt`. After `--resume` the next steps of the same script go on.
 *
 * A hook can take part: `curl -s $ANTHROPIC_BASE_URL/__ctl/signal/NAME`, `/__ctl/wait/NAME`.
 */
import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo } from "node:net";
import { createPlayer, type Transcript } from "./player.ts";
import { sendError, sendJson, sendReply } from "./reply.ts";
import { type ApiRequest, isSideRequest, scriptNameOf } from "./request.ts";
import { type Scripts } from "./script.ts";
import { createSignals } from "./signals.ts";

export interface FakeApiOptions {
  readonly scripts: Scripts;
  /** For `{{name}}` in tool inputs. */
  readonly vars?: Readonly<Record<string, string>>;
  /** How long `wait` and `barrier` hold by default: 60 s. */
  readonly waitMs?: number;
}

export interface FakeApi {
  readonly url: string;
  /** One line per request, in order. */
  readonly requests: readonly string[];
  /** @throws RangeError if there is no such script */
  transcript(name: string): Transcript;
  signal(name: string): void;
  /** @throws Error if `name` is not signalled in time */
  waitFor(name: string, ms?: number): Promise<void>;
  close(): Promise<void>;
}

export async function startFakeApi({
  scripts,
  vars = {},
  waitMs = 60_000,
}: FakeApiOptions): Promise<FakeApi> {
  const requests: string[] = [];
  const signals = createSignals();
  const player = createPlayer(scripts, vars, signals, waitMs);
  const nonce = randomBytes(4).toString("hex");
  let serial = 0;

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      requests.push(`failed: ${error instanceof Error ? error.stack : String(error)}`);
      if (response.headersSent) response.end();
      else sendError(response, { status: 500, type: "api_error", message: String(error) });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    let raw = "";
    for await (const chunk of request.setEncoding("utf8")) raw += String(chunk);
    requests.push(`${request.method} ${path}`);

    const control = /^\/__ctl\/(signal|wait)\/(.+)$/.exec(path);
    if (control) {
      if (control[1] === "signal") signals.set(control[2]!);
      return sendJson(response, 200, {
        ok: control[1] === "signal" || (await signals.wait(control[2]!, waitMs)),
      });
    }
    if (path.endsWith("/count_tokens")) return sendJson(response, 200, { input_tokens: 1000 });
    if (path === "/v1/messages" && request.method === "POST")
      return answer(JSON.parse(raw) as ApiRequest, sessionOf(request), response);
    if (request.method === "HEAD" || path === "/") return sendJson(response, 200, {});
    // Feature flags, telemetry and the like get what a gateway would say.
    return sendError(response, { status: 404, type: "not_found_error", message: `no ${path} here` });
  }

  async function answer(
    body: ApiRequest,
    sessionId: string | undefined,
    response: ServerResponse,
  ): Promise<void> {
    serial += 1;
    const how = { id: `msg_${nonce}_${serial}`, model: body.model ?? "", stream: body.stream === true };
    const name = scriptNameOf(body);
    const side = isSideRequest(body);
    // Helper requests (titles, topics) come without tools; they may quote the prompt, marker included.
    if (side || name === undefined || !body.tools?.length || !(name in scripts)) {
      // A summary takes the conversation's place, so it has to go on carrying the marker.
      const text = side ? `<analysis>-</analysis>\n<summary>[[script:${name}]] (summary)</summary>` : "ok";
      return sendReply(response, { content: [{ type: "text", text }], stop: "end_turn" }, how);
    }
    const reply = await player.answer(name, sessionId, body.messages ?? []);
    return "content" in reply ? sendReply(response, reply, how) : sendError(response, reply);
  }

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    transcript: (name) => player.transcript(name),
    signal: (name) => signals.set(name),
    async waitFor(name, ms = waitMs) {
      if (!(await signals.wait(name, ms))) throw new Error(`not signalled within ${ms} ms: ${name}`);
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function sessionOf(request: IncomingMessage): string | undefined {
  const id = request.headers["x-claude-code-session-id"];
  return typeof id === "string" ? id : undefined;
}
