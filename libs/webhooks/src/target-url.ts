import { isIP } from 'node:net';
import { WebhooksError } from './error.ts';
import { isPublicAddress } from './target-address.ts';

const maxLength = 2_048;

function invalid(problem: string): WebhooksError {
  return new WebhooksError('url_invalid', `a webhook URL ${problem}`);
}

/**
 * Parses an endpoint's URL when it is registered and again before each delivery. Unless
 * `allowPrivateTargets`, it is https and no IP address of a private network; names are checked when
 * they are resolved. Throws {@link WebhooksError} `url_invalid`, `target_forbidden`.
 */
export function parseTargetUrl(text: string, o: { readonly allowPrivateTargets: boolean }): URL {
  if (text.length > maxLength) throw invalid(`has at most ${maxLength} characters`);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw invalid('is an absolute URL');
  if (url.username !== '' || url.password !== '') throw invalid('holds no credentials');
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw invalid('is https');
  if (o.allowPrivateTargets) return url;
  if (url.protocol !== 'https:') throw invalid('is https');
  const address = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(address) !== 0 && !isPublicAddress(address)) {
    throw new WebhooksError('target_forbidden', 'a webhook URL leads to no private address');
  }
  return url;
}
