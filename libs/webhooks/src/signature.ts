import { createHmac } from 'node:crypto';
import { parseSecret } from './secret.ts';

/** What a signature covers; `body` are the bytes as sent. */
export interface SignedContent {
  readonly id: string;
  /** Seconds since 1970. */
  readonly timestamp: number;
  readonly body: string | Uint8Array;
}

/** HMAC-SHA256 over `id.timestamp.body` (Standard Webhooks, "Signature scheme"). */
export function contentSignature(content: SignedContent, secret: string): Buffer {
  return createHmac('sha256', parseSecret(secret))
    .update(`${content.id}.${content.timestamp}.`)
    .update(content.body)
    .digest();
}
