import { readFile } from 'node:fs/promises';

import type { Cryptoki, Handle, TokenInfo } from './cryptoki.ts';
import { HsmError } from './error.ts';

/** Which token: an RFC 7512 PKCS#11 URI, narrowed to the attributes that name a token or its PIN. */
export interface TokenUri {
  readonly token?: string;
  readonly manufacturer?: string;
  readonly serial?: string;
  readonly model?: string;
  readonly modulePath?: string;
  /** Path of the file that holds the PIN, from `pin-source`. */
  readonly pinFile?: string;
}

const pathAttributes = {
  token: 'token',
  manufacturer: 'manufacturer',
  serial: 'serial',
  model: 'model',
} as const;

function invalid(message: string): HsmError {
  return new HsmError('token_uri_invalid', message);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new HsmError('token_uri_invalid', 'the PKCS#11 URI has a bad percent-encoding', {
      cause,
    });
  }
}

function attributes(text: string, separator: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const part of text.split(separator).filter((piece) => piece !== '')) {
    const at = part.indexOf('=');
    if (at < 1) throw invalid('each attribute of a PKCS#11 URI is name=value');
    const name = part.slice(0, at);
    // RFC 7512 section 2.3: an attribute must not appear twice.
    if (found.has(name)) throw invalid(`the PKCS#11 URI repeats "${name}"`);
    found.set(name, decoded(part.slice(at + 1)));
  }
  return found;
}

/** `pin-source` is a path or a `file:` URI (RFC 7512 section 2.4). Commands (`|…`) are refused. */
function pinFilePath(source: string): string {
  const path = source.startsWith('file:')
    ? source.replace(/^file:(\/\/(localhost)?(?=\/))?/, '')
    : source;
  if (path === '' || path.startsWith('|')) throw invalid('pin-source must name a file');
  return path;
}

/**
 * Parses `pkcs11:token=…;serial=…?module-path=…&pin-source=file:…`. `pin-value` is refused, since
 * a URI ends up in logs and process lists.
 *
 * @throws HsmError `token_uri_invalid`.
 */
export function parseTokenUri(uri: string): TokenUri {
  if (!uri.startsWith('pkcs11:')) throw invalid('a token is named by a pkcs11: URI (RFC 7512)');
  const [path = '', query = ''] = uri.slice('pkcs11:'.length).split('?', 2);
  const result: Record<string, string> = {};
  for (const [name, value] of attributes(path, ';')) {
    const known = Object.entries(pathAttributes).find(([attribute]) => attribute === name);
    if (known === undefined) throw invalid(`"${name}" does not name a token`);
    result[known[1]] = value;
  }
  if (Object.keys(result).length === 0) throw invalid('the PKCS#11 URI names no token');
  for (const [name, value] of attributes(query, '&')) {
    if (name === 'pin-value') throw invalid('pin-value is refused: keep the PIN in a file');
    if (name === 'module-path') result['modulePath'] = value;
    else if (name === 'pin-source') result['pinFile'] = pinFilePath(value);
    else throw invalid(`"${name}" is not supported in a PKCS#11 URI`);
  }
  return result;
}

/**
 * The slot of the one token that the URI names.
 *
 * @throws HsmError `token_not_present` if there is none, `token_uri_invalid` if there are several.
 */
export function findSlot(cryptoki: Cryptoki, uri: TokenUri): { slot: Handle; info: TokenInfo } {
  const matching = cryptoki
    .tokens()
    .filter(
      ({ info }) =>
        (uri.token ?? info.label) === info.label &&
        (uri.serial ?? info.serial) === info.serial &&
        (uri.model ?? info.model) === info.model &&
        (uri.manufacturer ?? info.manufacturer) === info.manufacturer,
    );
  const [found, another] = matching;
  if (found === undefined)
    throw new HsmError('token_not_present', 'no slot holds the token that the URI names', {
      details: { token: uri.token ?? '' },
    });
  if (another !== undefined) throw invalid('several tokens match the URI: add serial=');
  return found;
}

/** @throws HsmError `pin_unreadable` if the file cannot be read or is empty. */
export async function readPin(pinFile: string): Promise<string> {
  const text = await readFile(pinFile, 'utf8').catch((cause: unknown) => {
    throw new HsmError('pin_unreadable', 'the PIN file cannot be read', {
      cause,
      details: { pinFile },
    });
  });
  const pin = text.replace(/\r?\n$/, '');
  if (pin === '')
    throw new HsmError('pin_unreadable', 'the PIN file is empty', { details: { pinFile } });
  return pin;
}
