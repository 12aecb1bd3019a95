import {
  PkiError,
  verifySignedData,
  type SignedDataFinding,
  type SignedDataVerdict,
} from '@signfleet/pki';
import { isName, isString, type PdfValue } from '../reader/pdf-value.ts';
import { decodeTextString } from '../reader/text-string.ts';
import { checkByteRange, type ByteRangeFinding, type PlacedSignature } from './byte-range.ts';
import { judgeChain, type ChainVerdict, type TrustOptions } from './chain.ts';
import { readContents } from './contents.ts';
import {
  breaking,
  informative,
  type SignatureCode,
  type SignatureReport,
} from './signature-report.ts';
import { digestByteRange, type SignedBytes } from './signed-bytes.ts';

/** PKCS #9 signing-time. */
const SIGNING_TIME = '1.2.840.113549.1.9.5';

/** The kinds of signature we judge, and the level each may reach. */
const levels: Readonly<Record<string, 'B-B' | 'CMS'>> = {
  'ETSI.CAdES.detached': 'B-B',
  'adbe.pkcs7.detached': 'CMS',
};

/** Findings against what PAdES asks for and older kinds of signature do not. */
const onlyPades: ReadonlySet<SignedDataFinding> = new Set(['signing_certificate_unbound']);

/** One signature to be judged. */
export interface SignatureInput {
  readonly fieldName: string;
  readonly placed: PlacedSignature;
  readonly document: SignedBytes;
  /** A dictionary entry, resolved. */
  readonly get: (key: string) => PdfValue;
  /** Whether a byte range that ends here ends a revision. */
  readonly endsRevision: (end: number) => boolean;
  readonly trust: TrustOptions;
  /** What is already known to be remarkable. */
  readonly codes: readonly SignatureCode[];
}

/** Judges one signature. Whatever is wrong with it is a code of the report, never an exception. */
export function verifySignature(input: SignatureInput): SignatureReport {
  const { placed, get } = input;
  const codes = [...input.codes];
  const subFilter = get('SubFilter');
  const kind = isName(subFilter) ? subFilter.name : undefined;
  const level = kind === undefined ? undefined : levels[kind];
  if (level === undefined) codes.push('sub_filter_unsupported');
  const range = checkByteRange(placed, get('ByteRange'));
  codes.push(...range.codes, ...judgeEnd(input, range));
  const cms = judgeCms(input, range, level);
  codes.push(...cms.codes);
  const intact = cms.verdict?.intact === true && !codes.some((code) => breaking.has(code));
  const chain = judgeChain(cms.verdict, input.trust);
  codes.push(...chain.codes);
  return {
    ...describe(input, range, cms.verdict, chain),
    subFilter: kind,
    coversWholeFile: range.codes.length === 0 && endOf(range) === placed.size,
    intact,
    valid: intact && codes.every((code) => informative.has(code)),
    level: intact ? reached(level, cms.verdict) : undefined,
    codes: [...new Set(codes)],
  };
}

function endOf({ byteRange }: ByteRangeFinding): number | undefined {
  return byteRange === undefined ? undefined : byteRange[2] + byteRange[3];
}

function judgeEnd(input: SignatureInput, range: ByteRangeFinding): SignatureCode[] {
  const end = endOf(range);
  if (end === undefined || range.codes.length > 0) return [];
  if (!input.endsRevision(end)) return ['byte_range_not_a_revision'];
  return end === input.placed.size ? [] : ['not_whole_file'];
}

interface CmsFinding {
  readonly verdict?: SignedDataVerdict;
  readonly codes: readonly SignatureCode[];
}

function judgeCms(
  { document, get, trust }: SignatureInput,
  { byteRange }: ByteRangeFinding,
  level: 'B-B' | 'CMS' | undefined,
): CmsFinding {
  const contents = get('Contents');
  if (!isString(contents)) return { codes: ['contents_malformed'] };
  const { cms, codes } = readContents(contents.bytes);
  if (cms === undefined || byteRange === undefined || level === undefined) return { codes };
  try {
    const verdict = verifySignedData({
      der: cms,
      contentDigest: (digest) => digestByteRange(document, byteRange, digest),
      trustAnchors: trust.trustAnchors ?? [],
    });
    const timed = level === 'B-B' && verdict.parsed.signedAttributes.types.includes(SIGNING_TIME);
    const remarks: SignatureCode[] = timed ? ['signing_time_attribute'] : [];
    const findings = verdict.findings.filter(
      (finding) => level === 'B-B' || !onlyPades.has(finding),
    );
    return { verdict, codes: [...codes, ...findings, ...remarks] };
  } catch (error) {
    if (error instanceof PkiError) return { codes: [...codes, error.code] };
    throw error;
  }
}

/** PAdES asks for signing-certificate-v2 and forbids signing-time (ETSI EN 319 142-1, 6.3). */
function reached(
  level: 'B-B' | 'CMS' | undefined,
  verdict: SignedDataVerdict | undefined,
): 'B-B' | 'CMS' | undefined {
  const attributes = verdict?.parsed.signedAttributes;
  const bound = attributes?.signingCertificate !== undefined;
  const timed = attributes?.types.includes(SIGNING_TIME) === true;
  return level === 'B-B' && (!bound || timed) ? 'CMS' : level;
}

function describe(
  { fieldName, get }: SignatureInput,
  { byteRange }: ByteRangeFinding,
  verdict: SignedDataVerdict | undefined,
  { signer, trusted }: ChainVerdict,
) {
  const time = get('M');
  return {
    fieldName,
    byteRange,
    algorithm: verdict?.algorithm,
    certificateChain: verdict?.certificateChain ?? [],
    signer,
    claimedTime: isString(time) ? decodeTextString(time.bytes) : undefined,
    trusted,
  };
}
