export { digestDocument, type DigestedDocument, type DigestName } from './digest.ts';
export { PdfError, type PdfErrorCode } from './error.ts';
export {
  prepareSignature,
  type ByteRange,
  type PreparedDocument,
  type PrepareOptions,
} from './prepare.ts';
export { sealDocument, type SealedDocument } from './seal.ts';
export { type SignatureCode, type SignatureReport } from './verify/signature-report.ts';
export { verifyDocument } from './verify/verify-document.ts';
export type { TrustOptions } from './verify/chain.ts';
export { verifySealed } from './verify/verify-sealed.ts';
