import type { SigningTokenFacts } from '@signfleet/hsm';
import type { Logger } from './logging.ts';
import type { Metrics } from './metrics.ts';

/**
 * Records how well the HSM guards user keys, and says so loudly when it does not enforce the unwrap
 * template: then a thief of the worker's PIN can take user keys out of it (docs/security-model.md).
 */
export function announceSecurityLevel(
  facts: SigningTokenFacts,
  { log, metrics }: { readonly log: Logger; readonly metrics: Metrics },
): void {
  metrics.securityLevel(facts.securityLevel);
  const { label: hsm, vendorProfile: vendor, securityLevel } = facts;
  const shown = { hsm, vendor, securityLevel };
  switch (facts.securityLevel) {
    case 'locked':
      log.info(shown, 'the HSM enforces the unwrap template of the key-encryption key');
      return;
    case 'unlocked':
      log.error(
        shown,
        'SECURITY: THE HSM DOES NOT ENFORCE AN UNWRAP TEMPLATE ON THE KEY-ENCRYPTION KEY: whoever has the PIN of this worker can take user keys out of it',
      );
  }
}
