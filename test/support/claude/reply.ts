import { type ServerResponse } from "node:http";
import { type ApiError } from "./script.ts";

/** The answering half of the Messages API's wire format. */

export type ReplyBlock =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "tool_use"; readonly id: string; readonly name: string; readonly input: object };

export interface Reply {
  readonly content: readonly ReplyBlock[];
  readonly stop: "end_turn" | "tool_use";
}

const USAGE = {
  input_tokens: 100,
  output_tokens: 10,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
};

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
}

export function sendError(response: ServerResponse, error: ApiError): void {
  const { status = 400, type = "invalid_request_error", message = "scripted error" } = error;
  sendJson(response, status, { type: "error", error: { type, message } });
}

/** Sends a reply whole, or as the events of a stream. */
export function sendReply(
  response: ServerResponse,
  reply: Reply,
  how: { id: string; model: string; stream: boolean },
): void {
  const head = { id: how.id, type: "message", role: "assistant", model: how.model };
  if (!how.stream) {
    const end = { stop_reason: reply.stop, stop_sequence: null, usage: USAGE };
    sendJson(response, 200, { ...head, content: reply.content, ...end });
    return;
  }
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  const event = (type: string, data: object): void => {
    response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
  };
  event("message_start", {
    message: { ...head, content: [], stop_reason: null, stop_sequence: null, usage: USAGE },
  });
  for (const [index, block] of reply.content.entries()) {
    event("content_block_start", { index, content_block: opening(block) });
    event("content_block_delta", { index, delta: filling(block) });
    event("content_block_stop", { index });
  }
  event("message_delta", {
    delta: { stop_reason: reply.stop, stop_sequence: null },
    usage: { output_tokens: 10 },
  });
  event("message_stop", {});
  response.end();
}

function opening(block: ReplyBlock): object {
  return block.type === "text" ? { type: "text", text: "" } : { ...block, input: {} };
}

function filling(block: ReplyBlock): object {
  return block.type === "text"
    ? { type: "text_delta", text: block.text }
    : { type: "input_json_delta", partial_json: JSON.stringify(block.input) };
}
