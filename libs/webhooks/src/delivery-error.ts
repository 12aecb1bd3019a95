import { targetForbidden } from './target-address.ts';

/**
 * Why an attempt did not deliver. `gone` (410) asks for no more attempts and for the endpoint to be
 * disabled; `url_invalid` and `target_forbidden` will not pass by themselves; the others may.
 */
export type DeliveryErrorCode =
  | 'url_invalid'
  | 'target_forbidden'
  | 'name_not_resolved'
  | 'connection_refused'
  | 'connection_lost'
  | 'tls_failed'
  | 'timeout'
  | 'response_malformed'
  | 'redirected'
  | 'gone'
  | 'status'
  | 'network_failed';

const byCode: Readonly<Record<string, DeliveryErrorCode>> = {
  [targetForbidden]: 'target_forbidden',
  ENOTFOUND: 'name_not_resolved',
  EAI_AGAIN: 'name_not_resolved',
  EAI_NODATA: 'name_not_resolved',
  ECONNREFUSED: 'connection_refused',
  ECONNRESET: 'connection_lost',
  EPIPE: 'connection_lost',
  UND_ERR_SOCKET: 'connection_lost',
  ETIMEDOUT: 'timeout',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_OVERFLOW: 'response_malformed',
};

/** Node's codes for a certificate or handshake that did not satisfy. */
const tlsCode =
  /^(ERR_TLS_|ERR_SSL_|EPROTO$|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|CRL_|HOSTNAME_MISMATCH$|INVALID_CA$|PATH_LENGTH_EXCEEDED$)/;

/** What made a request fail without an answer. */
export function deliveryError(error: unknown): DeliveryErrorCode {
  // A name with several addresses fails with one error for each of them.
  if (error instanceof AggregateError) {
    const [first] = error.errors.map(deliveryError).filter((code) => code !== 'network_failed');
    return first ?? 'network_failed';
  }
  if (!(error instanceof Error)) return 'network_failed';
  if (error.name === 'TimeoutError') return 'timeout';
  if (error.name === 'HTTPParserError') return 'response_malformed';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return byCode[code] ?? (tlsCode.test(code) ? 'tls_failed' : 'network_failed');
}
