export { openDatabase, type Database, type DatabaseOptions } from './database.ts';
export { DbError, type DbErrorCode } from './error.ts';
export { applyMigrations, diffMigrations } from './migrate.ts';
export { newId, type IdPrefix } from './ids.ts';
export { findIdempotentResource, type Created, type Idempotency } from './idempotency.ts';
export { countSignings } from './count-signings.ts';
export type { Page, PageRequest } from './page.ts';
export type { EventType } from './emit.ts';
export type {
  Batch,
  Certificate,
  CertificateMode,
  Grant,
  KeyState,
  User,
  WebhookDelivery,
} from './generated/client.ts';
export type {
  DestinationObject,
  Signing,
  SigningRequest,
  SigningResult,
  SigningState,
  SourceObject,
} from './signing.ts';
export { createSigning } from './create-signing.ts';
export {
  createBatch,
  MAX_BATCH_ITEMS,
  type BatchItem,
  type BatchSubmission,
  type Rejection,
  type SubmittedBatch,
} from './create-batch.ts';
export type { Submission } from './submission.ts';
export {
  claimSigning,
  type ClaimedSigning,
  type ClaimRefusal,
  type WrappedKey,
} from './claim-signing.ts';
export { extendSigningLease, releaseSigning } from './signing-lease.ts';
export {
  cancelBatch,
  cancelSigning,
  completeSigning,
  failSigning,
  type Cancellation,
  type Finished,
} from './finish-signing.ts';
export {
  getBatch,
  getSigning,
  listSignings,
  type SigningFilter,
  type Visibility,
} from './signings.ts';
export { createUser, getUser, listUsers, type NewUser } from './users.ts';
export { createKey, getKey, listKeys, revokeKey, type Key } from './keys.ts';
export {
  claimKeyEnrolment,
  completeKeyEnrolment,
  failKeyEnrolment,
  releaseKeyEnrolment,
  type ClaimedKeyEnrolment,
  type KeyEnrolment,
  type KeyEnrolmentFault,
} from './key-enrolment.ts';
export { getCertificate, importCertificate, type NewCertificate } from './certificates.ts';
export {
  createApiKey,
  findCaller,
  listApiKeys,
  revokeApiKey,
  scopes,
  type ApiKey,
  type Caller,
  type CreatedApiKey,
  type NewApiKey,
  type Scope,
} from './api-keys.ts';
export {
  canUseKey,
  createGrant,
  deleteGrant,
  findUsableKeys,
  listGrants,
  type NewGrant,
  type UsableKey,
  type UsableKeys,
} from './grants.ts';
export { bootstrapTenant, type Bootstrapped } from './bootstrap.ts';
export { listEvents, type StreamedEvent } from './events.ts';
export {
  createWebhookEndpoint,
  deleteWebhookEndpoint,
  getWebhookEndpoint,
  listWebhookEndpoints,
  updateWebhookEndpoint,
  type NewWebhookEndpoint,
  type WebhookEndpoint,
  type WebhookEndpointChange,
} from './webhook-endpoints.ts';
export {
  claimDelivery,
  listDeliveries,
  recordDeliveryAttempt,
  type ClaimedDelivery,
  type DeliveryAttemptRecord,
  type DeliveryNext,
} from './webhook-deliveries.ts';
export { takeStaleDeliveries, takeStaleKeys, takeStaleSignings } from './stale.ts';
export type { Actor } from './audit.ts';
export { getAuditChainHead, listAuditEntries } from './audit-log.ts';
export { sealAuditChain } from './seal-audit-chain.ts';
