// MOVED to libs/audit (lint forbids the CLI to import libs/db). To whoever builds libs/db: import
// from '@signfleet/audit' instead, put the chain's own unit tests in libs/audit/test, drop the
// './audit-chain' entry of package.json's exports, and delete this file.
export {
  auditChainOrigin,
  auditEntryHash,
  verifyAuditChain,
  type AuditChainEntry,
  type AuditChainExpectation,
  type AuditChainFault,
  type AuditChainLink,
  type AuditChainVerdict,
} from '@signfleet/audit';
