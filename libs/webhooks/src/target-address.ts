import type { LookupAddress, LookupAllOptions } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** Not globally reachable, or leading back inside: IANA special-purpose registries (RFC 6890). */
const forbidden = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  // Link-local, the cloud metadata service among it.
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const) {
  forbidden.addSubnet(network, prefix, 'ipv4');
}
for (const [network, prefix] of [
  // Teredo, ORCHID and benchmarking; documentation; 6to4, which embeds any IPv4 address.
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const) {
  forbidden.addSubnet(network, prefix, 'ipv6');
}

/** IPv6 addresses outside of it are loopback, local, multicast, mapped or translated ones. */
const globalUnicast = new BlockList();
globalUnicast.addSubnet('2000::', 3, 'ipv6');

/** Whether webhooks may be sent to this IP address. An IPv4-mapped IPv6 address counts as IPv4. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !forbidden.check(address, 'ipv4');
    case 6: {
      const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
      if (mapped !== undefined) return isPublicAddress(mapped);
      return globalUnicast.check(address, 'ipv6') && !forbidden.check(address, 'ipv6');
    }
    default:
      return false;
  }
}

/** Finds every address of a name, as `dns.lookup` does with `all`. */
export type Lookup = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** The `code` of the error by which a name that leads to a private address is refused. */
export const targetForbidden = 'WEBHOOK_TARGET_FORBIDDEN';

/**
 * A `lookup` for `net.connect`. Unless `allowPrivateTargets`, a name with any non-public address is
 * refused; this happens while the socket connects, on the very addresses that are then connected
 * to, so a name that answers differently the next time (DNS rebinding) gains nothing.
 */
export function guardedLookup(
  lookup: Lookup,
  o: { readonly allowPrivateTargets: boolean },
): LookupFunction {
  return (hostname, options, callback) =>
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      const [first] = addresses;
      if (error !== null || first === undefined) {
        const nothing = Object.assign(new Error('the name has no address'), { code: 'ENOTFOUND' });
        callback(error ?? nothing, []);
      } else if (!o.allowPrivateTargets && !addresses.every((a) => isPublicAddress(a.address))) {
        const refusal = new Error('the name leads to a private address');
        callback(Object.assign(refusal, { code: targetForbidden }), []);
      } else if (options.all === true) {
        callback(null, addresses);
      } else {
        callback(null, first.address, first.family);
      }
    });
}
