/** Answers of the HTTP server as values. */
import type { ServerResponse } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly type: 'application/json' | 'text/plain; version=0.0.4; charset=utf-8';
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The request was not read to its end, so the connection cannot be used again. */
  readonly close?: boolean;
}

/** A JSON answer with a stable code and a sentence. */
export function says(status: number, code: string, message: string, rest: Partial<Answer> = {}): Answer {
  return { status, type: 'application/json', body: `${JSON.stringify({ code, message })}\n`, ...rest };
}

/** Writes the answer. Nothing of it is ever cached, framed or sniffed. */
export function send(response: ServerResponse, answer: Answer): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(answer.status, {
    'content-type': answer.type,
    'content-length': Buffer.byteLength(answer.body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...answer.headers,
    ...(answer.close === true ? { connection: 'close' } : {}),
  });
  response.end(answer.body, () => {
    if (answer.close === true) response.socket?.destroySoon();
  });
}
