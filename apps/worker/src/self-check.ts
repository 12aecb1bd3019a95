import {
  PdfError,
  verifyDocument,
  verifySealed,
  type SealedDocument,
  type SignatureReport,
} from '@signfleet/pdf';
import { WorkerError } from './error.ts';
import type { UsableKey } from './usable-key.ts';

/**
 * Verifies a sealed document from the very bytes that are about to be stored, in software and with
 * the public key of the certificate: byte range, digest, CMS, and that it is this key's certificate.
 *
 * @throws WorkerError `self_check_failed` with the verifier's codes.
 */
export function assertSound(sealed: SealedDocument, key: UsableKey): void {
  const report = reportOn(sealed);
  if (isBy(report, key)) return;
  throw new WorkerError('self_check_failed', 'the signature just made does not verify', {
    details: { codes: report.codes.join(' '), level: report.level ?? 'none' },
  });
}

function reportOn(sealed: SealedDocument): SignatureReport {
  try {
    return verifySealed(sealed);
  } catch (cause) {
    if (!(cause instanceof PdfError)) throw cause;
    // Its codes blame the document; here it is our own addition that can't be read.
    throw new WorkerError('self_check_failed', 'the document just made is unreadable', { cause });
  }
}

/** Whether `bytes` are the source, untouched, followed by a sound signature with this key. */
export function isOurSignature(
  bytes: Uint8Array,
  expected: { readonly source: Uint8Array; readonly key: UsableKey },
): boolean {
  const { source, key } = expected;
  const prefix = bytes.subarray(0, source.byteLength);
  if (bytes.byteLength <= source.byteLength || Buffer.compare(prefix, source) !== 0) return false;
  try {
    return verifyDocument(bytes).some((report) => isBy(report, key));
  } catch (error) {
    if (error instanceof PdfError) return false;
    throw error;
  }
}

function isBy(report: SignatureReport, key: UsableKey): boolean {
  const [signer] = report.certificateChain;
  return (
    report.valid &&
    report.coversWholeFile &&
    report.level === 'B-B' &&
    signer !== undefined &&
    Buffer.compare(signer, key.certificateChain[0]) === 0
  );
}
