import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { digestDocument } from '../src/digest.ts';
import { PdfError } from '../src/error.ts';
import { prepareSignature } from '../src/prepare.ts';
import { sealDocument } from '../src/seal.ts';
import type { SignatureReport } from '../src/verify/signature-report.ts';
import { verifyDocument } from '../src/verify/verify-document.ts';
import { appendRevision, onePage, streamText, writePdf } from './pdf-fixture.ts';
import { createIdentity, inTemporaryDirectory, signPdf, writeInto } from './signing-fixture.ts';

const identity = createIdentity('P-256');
// Room to spare, so that there always is padding: ECDSA signatures differ in length.
const sealed = await signPdf(writePdf(onePage()), identity, { contentsBytes: 2000 });
const signed = Buffer.from(sealed.bytes());
const { byteRange, source } = sealed.digested.prepared;
const [, contentsStart, contentsEnd] = byteRange;

function only(bytes: Uint8Array): SignatureReport {
  const [report, ...others] = verifyDocument(bytes);
  if (report === undefined || others.length > 0) throw new Error('not one signature');
  return report;
}

/** The signed file with a piece of its text replaced by one of the same length. */
function replaced(from: string, to: string): Buffer {
  const text = signed.toString('latin1');
  if (!text.includes(from) || to.length > from.length) throw new Error('cannot replace');
  return Buffer.from(
    text.replace(from, () => to.padEnd(from.length)),
    'latin1',
  );
}

const byteRangeText = /\/ByteRange (\[[^\]]+\] *)/.exec(signed.toString('latin1'))?.[1] ?? '';

describe('a sound signature', () => {
  it('is reported in full', () => {
    expect(only(signed)).toMatchObject({
      fieldName: 'Signature1',
      subFilter: 'ETSI.CAdES.detached',
      byteRange,
      coversWholeFile: true,
      intact: true,
      valid: true,
      level: 'B-B',
      algorithm: 'P-256',
      signer: 'Test signer',
      trusted: undefined,
      codes: [],
    });
  });

  it('is trusted up to the given root, within validity', () => {
    const trustAnchors = [identity.certificateChain[1]];
    expect(verifyDocument(signed, { trustAnchors })).toMatchObject([
      { trusted: true, valid: true },
    ]);
    const other = [createIdentity('P-256').certificateChain[1]];
    expect(verifyDocument(signed, { trustAnchors: other })).toMatchObject([
      { trusted: false, valid: false, intact: true, codes: ['root_untrusted'] },
    ]);
    const at = new Date('2001-01-01');
    expect(verifyDocument(signed, { trustAnchors, at })).toMatchObject([
      { trusted: false, codes: ['certificate_not_yet_valid'] },
    ]);
  });

  it('of the older kind is judged too', () => {
    const prepared = prepareSignature(source, { signingTime: new Date(0), contentsBytes: 4000 });
    const older = Buffer.from(prepared.appended)
      .toString('latin1')
      .replace('/ETSI.CAdES.detached', '/adbe.pkcs7.detached');
    const appended = Buffer.from(older, 'latin1');
    const digested = digestDocument({ ...prepared, appended }, 'sha256');
    const start = prepared.byteRange[1] - source.length;
    const end = prepared.byteRange[2] - source.length;
    const content = [source, appended.subarray(0, start), appended.subarray(end)];
    const cms = inTemporaryDirectory((directory) => {
      const key = `${directory}/key.pem`;
      const certificate = `${directory}/certificate.pem`;
      const make = ['req', '-x509', '-nodes', '-newkey', 'rsa:2048', '-subj', '/CN=Old'];
      execFileSync('openssl', [...make, '-keyout', key, '-out', certificate], { stdio: 'ignore' });
      const input = writeInto(directory, 'content.bin', Buffer.concat(content));
      const sign = ['cms', '-sign', '-binary', '-outform', 'DER', '-md', 'sha256', '-in', input];
      return execFileSync('openssl', [...sign, '-signer', certificate, '-inkey', key]);
    });
    expect(only(sealDocument(digested, cms).bytes())).toMatchObject({
      subFilter: 'adbe.pkcs7.detached',
      intact: true,
      valid: true,
      level: 'CMS',
      algorithm: 'RSA-2048',
    });
  });

  it('is not there in a file without one', () => {
    expect(verifyDocument(writePdf(onePage()))).toEqual([]);
  });
});

describe('changes', () => {
  it('no changed byte goes unremarked', () => {
    for (let position = 0; position < signed.length; position += 5) {
      const changed = Buffer.from(signed);
      changed[position] = (changed[position] ?? 0) ^ 1;
      expect({ position, unremarked: anyUnremarked(changed) }).toEqual({
        position,
        unremarked: false,
      });
    }
  });

  it('a later revision leaves it intact, and is told of', () => {
    const later = appendRevision(signed, new Map([[4, streamText('0 0 m 9 9 l S')]]));
    expect(only(later)).toMatchObject({
      intact: true,
      valid: true,
      coversWholeFile: false,
      codes: ['not_whole_file'],
    });
    const trailing = Buffer.concat([signed, Buffer.from('trailing')]);
    expect(only(trailing)).toMatchObject({ coversWholeFile: false, codes: ['not_whole_file'] });
  });
});

/** Whether any signature of the file is judged to be without any fault. */
function anyUnremarked(bytes: Uint8Array): boolean {
  try {
    return verifyDocument(bytes).some(({ valid, codes }) => valid && codes.length === 0);
  } catch (error) {
    if (error instanceof PdfError) return false;
    throw error;
  }
}

describe('byte ranges', () => {
  const [, , , secondLength] = byteRange;
  const forged: readonly [string, string, string][] = [
    ['null', 'null', 'byte_range_malformed'],
    ['three numbers', '[0 10 20]', 'byte_range_malformed'],
    ['negative', '[0 -10 20 30]', 'byte_range_malformed'],
    ['a fraction', '[0 10.5 20 30]', 'byte_range_malformed'],
    ['names', '[/a /b /c /d]', 'byte_range_malformed'],
    ['empty', '[0 0 0 0]', 'byte_range_out_of_bounds'],
    ['overlapping', `[0 900 100 ${secondLength}]`, 'byte_range_out_of_bounds'],
    ['beyond the file', `[0 ${contentsStart} ${contentsEnd} 99999]`, 'byte_range_out_of_bounds'],
    ['not from the start', `[1 ${contentsStart} ${contentsEnd} 9]`, 'byte_range_not_from_start'],
    [
      'a wider gap',
      `[0 ${contentsStart - 1} ${contentsEnd} ${secondLength}]`,
      'byte_range_gap_unsound',
    ],
    [
      'short of the end',
      `[0 ${contentsStart} ${contentsEnd} ${secondLength - 9}]`,
      'byte_range_not_a_revision',
    ],
  ];
  it.each(forged)('%s', (_name, value, code) => {
    const report = only(replaced(byteRangeText, value));
    expect(report).toMatchObject({ intact: false, valid: false });
    expect(report.codes).toContain(code);
  });

  it('missing', () => {
    expect(only(replaced('/ByteRange', '/ByteRangX')).codes).toContain('byte_range_malformed');
  });

  it('does not fall for content slipped in beside /Contents', () => {
    const evil = ` /Evil (${'x'.repeat(40)})`;
    const parts = [
      signed.subarray(0, contentsEnd),
      Buffer.from(evil),
      signed.subarray(contentsEnd),
    ];
    const wrapped = Buffer.concat(parts).toString('latin1');
    const range = `[0 ${contentsStart} ${contentsEnd + evil.length} ${secondLength}]`;
    const moved = wrapped
      .replace(byteRangeText, range.padEnd(byteRangeText.length))
      .replace(/startxref\n(\d+)\n%%EOF\n$/, (_match, at: string) => {
        return `startxref\n${Number(at) + evil.length}\n%%EOF\n`;
      });
    expect(only(Buffer.from(moved, 'latin1')).codes).toContain('byte_range_gap_unsound');
  });

  it('does not accept a signature dictionary within an object stream', () => {
    const objects = onePage({
      1: '<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [6 0 R] >> >>',
      6: '<< /FT /Sig /T (S) /V 7 0 R >>',
      7: '<< /Type /Sig /SubFilter /ETSI.CAdES.detached /ByteRange [0 9 19 300] /Contents <3000> >>',
    });
    const file = writePdf(objects, { form: 'stream', compressed: [6, 7] });
    expect(only(file)).toMatchObject({ intact: false });
    expect(only(file).codes).toContain('byte_range_gap_unsound');
  });
});

describe('/Contents and its kind', () => {
  const contents = signed.toString('latin1', contentsStart, contentsEnd);
  it.each([
    ['empty', '<>'],
    ['zeros', `<${'0'.repeat(contents.length - 2)}>`],
    ['indefinite length', contents.replace(/^<30..../, '<308000')],
    ['longer than its place', contents.replace(/^<3082..../, '<3082FFFF')],
    ['a number', '7'],
  ])('%s is malformed', (_name, value) => {
    const report = only(replaced(contents, value));
    expect(report).toMatchObject({ intact: false, valid: false, level: undefined });
    expect(report.codes).toContain('contents_malformed');
  });

  it('something after the CMS is told of', () => {
    const report = only(replaced(contents, contents.replace(/0>$/, '1>')));
    expect(report).toMatchObject({ valid: false });
    expect(report.codes).toContain('contents_padding_not_zero');
  });

  it('a CMS that cannot be read is told of', () => {
    const garbage = `<3003020101${'0'.repeat(contents.length - 12)}>`;
    expect(only(replaced(contents, garbage))).toMatchObject({
      intact: false,
      codes: ['malformed_signed_data'],
    });
  });

  it('an unknown sub-filter is not judged', () => {
    const report = only(replaced('/ETSI.CAdES.detached', '/adbe.x509.rsa_sha1 '));
    expect(report).toMatchObject({ intact: false, codes: ['sub_filter_unsupported'] });
  });
});

describe('hostile bytes', () => {
  it('give reports or a PdfError, nothing else', () => {
    // A linear congruential generator: the same mutations every time.
    let state = 12_345;
    const random = (below: number): number => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return state % below;
    };
    const tokens = ['<<', '>>', '[', ']', '(', '<', '0', '99999999999', 'R', 'obj', '/Kids', '%'];
    for (let round = 0; round < 400; round += 1) {
      const changed = Buffer.from(signed);
      for (let edits = 0; edits <= round % 4; edits += 1) {
        changed.write(tokens[random(tokens.length)] ?? '', random(changed.length), 'latin1');
      }
      const end = round % 5 === 0 ? random(changed.length) : changed.length;
      expect(anyUnremarked(changed.subarray(0, end)) && !changed.equals(signed)).toBe(false);
    }
  });
});
