import type { KeyAlgorithm, PkiErrorCode, SignedDataFinding } from '@signfleet/pki';
import type { ByteRange } from '../prepare.ts';

/**
 * Everything that can be remarked about a signature, stable for callers to branch on. Beside these,
 * the findings of `@signfleet/pki` on the CMS and the codes of its errors appear unchanged.
 */
export type SignatureCode =
  | SignedDataFinding
  | PkiErrorCode
  /** `/ByteRange` is missing or is not four whole numbers. */
  | 'byte_range_malformed'
  /** It does not begin at the file's first byte. */
  | 'byte_range_not_from_start'
  /** Its parts overlap or reach beyond the file. */
  | 'byte_range_out_of_bounds'
  /** What it leaves out is not exactly this signature's `/Contents`. */
  | 'byte_range_gap_unsound'
  /** It does not end where a revision of the file ends. */
  | 'byte_range_not_a_revision'
  /** `/Contents` is missing or does not begin with a definite-length DER element. */
  | 'contents_malformed'
  /** Something other than zeros follows the CMS. */
  | 'contents_padding_not_zero'
  /** A `/SubFilter` that this verifier does not judge. */
  | 'sub_filter_unsupported'
  /** The CMS has a signing-time, which PAdES forbids (ETSI EN 319 142-1, 6.3). */
  | 'signing_time_attribute'
  /** Information: the file goes on after what is signed. What follows is not judged. */
  | 'not_whole_file'
  /** Information: the file's cross-reference was damaged and found again by scanning. */
  | 'xref_recovered'
  /** The dictionary does not say that it is a signature. */
  | 'not_a_signature_dictionary';

/** What was found about one signature of a document. */
export interface SignatureReport {
  /** Fully qualified name of the signature field. */
  readonly fieldName: string;
  readonly subFilter: string | undefined;
  readonly byteRange: ByteRange | undefined;
  /** Whether nothing but `/Contents` is left unsigned in the file as it is. */
  readonly coversWholeFile: boolean;
  /** The signed bytes are unchanged, the byte range is sound, and the signer's key has signed. */
  readonly intact: boolean;
  /** Intact, and nothing is wrong with CMS or chain either. */
  readonly valid: boolean;
  /** The level reached: `B-B` of ETSI EN 319 142-1, `CMS` for an older kind, none when not intact. */
  readonly level: 'B-B' | 'CMS' | undefined;
  readonly algorithm: KeyAlgorithm | undefined;
  /** DER, leaf first, as far as embedded. */
  readonly certificateChain: readonly Uint8Array[];
  /** Common name of the signer's certificate. */
  readonly signer: string | undefined;
  /** `/M`, as the signer claims it. */
  readonly claimedTime: string | undefined;
  /** Whether the chain leads to a given trust anchor; undefined when none was given. */
  readonly trusted: boolean | undefined;
  readonly codes: readonly SignatureCode[];
}

/** Codes that inform and do not make a signature invalid. */
export const informative: ReadonlySet<SignatureCode> = new Set([
  'not_whole_file',
  'xref_recovered',
  // A root need not be embedded; whether it is trusted is judged by the anchors given.
  'embedded_chain_open',
  'embedded_certificate_unrelated',
  // Plain rsaEncryption is what most signing software of old writes.
  'signature_algorithm_generic',
]);

/** Codes of this library that leave a document unprotected, whatever the CMS says. */
export const breaking: ReadonlySet<SignatureCode> = new Set([
  'byte_range_malformed',
  'byte_range_not_from_start',
  'byte_range_out_of_bounds',
  'byte_range_gap_unsound',
  'byte_range_not_a_revision',
  'contents_malformed',
  'sub_filter_unsupported',
  'not_a_signature_dictionary',
]);
