export { digestDocument, type DigestedDocument, type DigestName } from './digest.ts';
export { PdfError, type PdfErrorCode } from './error.ts';
export {
  prepareSignature,
  type ByteRange,
  type PreparedDocument,
  type PrepareOptions,
} from './prepare.ts';
export { sealDocument, type SealedDocument } from './seal.ts';
