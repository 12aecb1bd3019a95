import { hash } from 'node:crypto';

/**
 * Remembers the results of a pure function of byte strings, which on the way of a document is
 * called again and again with the same certificates and keys. Holds at most `limit` results and
 * forgets the oldest; a failure is thrown each time, never remembered.
 */
export function memoizeBytes<Inputs extends readonly Uint8Array[], Result>(
  limit: number,
  compute: (...inputs: Inputs) => Result,
): (...inputs: Inputs) => Result {
  const remembered = new Map<string, Result>();
  return (...inputs) => {
    const key = inputs.map((input) => hash('sha256', input, 'base64')).join();
    const known = remembered.get(key);
    if (known !== undefined) return known;
    const result = compute(...inputs);
    if (remembered.size >= limit) {
      const [oldest] = remembered.keys();
      if (oldest !== undefined) remembered.delete(oldest);
    }
    remembered.set(key, result);
    return result;
  };
}
