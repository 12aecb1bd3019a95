export { runCeremony, type CeremonyOptions, type CeremonyReport } from './ceremony/run-ceremony.ts';
export { HsmError, type HsmErrorCode } from './error.ts';
export type { KeyOwner } from './generate-wrapped-key.ts';
export {
  bindingMessage,
  bindingVerifier,
  bindKeyRecord,
  type UnboundKeyRecord,
  type WrappedKeyRecord,
} from './key-record.ts';
export type { SecurityLevel } from './lock-probe.ts';
export type { TokenAccess } from './open-token.ts';
export { openProvisioningToken, type ProvisioningToken } from './provisioning-token.ts';
export {
  openSigningToken,
  type BracketObserver,
  type SigningToken,
  type SigningTokenFacts,
  type SigningTokenOptions,
} from './signing-token.ts';
export { readTokenStatus, type ObjectStatus, type TokenStatus } from './token-status.ts';
export { parseTokenUri, type TokenUri } from './token-uri.ts';
