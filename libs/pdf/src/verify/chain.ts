import {
  checkCertificateChain,
  parseCertificate,
  PkiError,
  type SignedDataVerdict,
} from '@signfleet/pki';
import type { SignatureCode } from './signature-report.ts';

/** Against what certificates are judged. */
export interface TrustOptions {
  /** DER certificates that a chain may end in. Without any, trust is not judged. */
  readonly trustAnchors?: readonly Uint8Array[] | undefined;
  /** The time at which certificates must be valid; by default now. */
  readonly at?: Date | undefined;
}

/** Who signed, and whether the chain leads to a trust anchor. */
export interface ChainVerdict {
  readonly signer: string | undefined;
  readonly trusted: boolean | undefined;
  readonly codes: readonly SignatureCode[];
}

/** Judges the embedded chain against the given anchors (RFC 5280, 6.1). */
export function judgeChain(
  verdict: SignedDataVerdict | undefined,
  { trustAnchors, at = new Date() }: TrustOptions,
): ChainVerdict {
  if (verdict?.signingCertificate === undefined) {
    return {
      signer: undefined,
      trusted: trustAnchors === undefined ? undefined : false,
      codes: [],
    };
  }
  try {
    const { commonName, publicKey } = parseCertificate(verdict.signingCertificate);
    if (trustAnchors === undefined) return { signer: commonName, trusted: undefined, codes: [] };
    const refusal = refusalOf(() =>
      checkCertificateChain({ chain: verdict.certificateChain, publicKey, at, trustAnchors }),
    );
    return refusal === undefined
      ? { signer: commonName, trusted: true, codes: [] }
      : { signer: commonName, trusted: false, codes: [refusal] };
  } catch (error) {
    if (!(error instanceof PkiError)) throw error;
    const trusted = trustAnchors === undefined ? undefined : false;
    return { signer: undefined, trusted, codes: [error.code] };
  }
}

function refusalOf(check: () => unknown): SignatureCode | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof PkiError) return error.code;
    throw error;
  }
}
