export {
  auditChainOrigin,
  auditEntryHash,
  verifyAuditChain,
  type AuditChainEntry,
  type AuditChainExpectation,
  type AuditChainFault,
  type AuditChainLink,
  type AuditChainVerdict,
} from './audit-chain.ts';
