import { describe, expect, it } from 'vitest';
import { digestDocument } from '../src/digest.ts';
import { PdfError } from '../src/error.ts';
import { prepareSignature, type PrepareOptions } from '../src/prepare.ts';
import { sealDocument } from '../src/seal.ts';
import { onePage, writePdf } from './pdf-fixture.ts';

function refusal(source: Uint8Array, options: Partial<PrepareOptions> = {}): PdfError {
  try {
    prepareSignature(source, { signingTime: new Date(0), contentsBytes: 100, ...options });
  } catch (error) {
    if (error instanceof PdfError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

const certified = (parameters: string): Buffer =>
  writePdf(
    onePage({
      1: '<< /Type /Catalog /Pages 2 0 R /Perms << /DocMDP 6 0 R >> >>',
      6: `<< /Type /Sig /Reference [<< /TransformMethod /DocMDP /TransformParams ${parameters} >>] >>`,
    }),
  );

describe('what cannot be signed is refused with its reason', () => {
  it('not a PDF', () => {
    expect(refusal(new Uint8Array()).code).toBe('not_a_pdf');
    expect(refusal(Buffer.from('<html>a page</html>')).code).toBe('not_a_pdf');
    expect(refusal(Buffer.from(`${' '.repeat(2000)}%PDF-1.7`)).code).toBe('not_a_pdf');
  });

  it('encrypted', () => {
    const encrypt = '<< /Filter /Standard /V 2 /R 3 /Length 128 /P -4 /O (o) /U (u) >>';
    const direct = writePdf(onePage(), { trailer: `/Root 1 0 R /Encrypt ${encrypt}` });
    expect(refusal(direct).code).toBe('encrypted');
    const indirect = writePdf(onePage({ 6: encrypt }), {
      form: 'stream',
      trailer: '/Root 1 0 R /Encrypt 6 0 R',
    });
    expect(refusal(indirect).code).toBe('encrypted');
  });

  it('damaged beyond recovery, with the offset', () => {
    const error = refusal(Buffer.from('%PDF-1.7\n1 0 obj\n<< /Type /Font >>\nendobj\n'));
    expect(error.code).toBe('damaged');
    expect(error.details).toHaveProperty('offset');
    const missing = refusal(writePdf(onePage(), { trailer: '/Root 77 0 R' }).fill(0x20, 20, 60));
    expect(missing).toMatchObject({ code: 'damaged' });
  });

  it('no pages', () => {
    const empty = onePage({ 2: '<< /Type /Pages /Kids [] /Count 0 >>' });
    expect(refusal(writePdf(empty)).code).toBe('no_pages');
    const looped = onePage({ 2: '<< /Type /Pages /Kids [2 0 R 9 0 R null 5] /Count 1 >>' });
    expect(refusal(writePdf(looped)).code).toBe('no_pages');
  });

  it('certified against any change', () => {
    expect(refusal(certified('<< /P 1 /V /1.2 >>')).code).toBe('certification_forbids');
    for (const allowed of ['<< /P 2 >>', '<< /P 3 >>', '<< >>']) {
      const options = { signingTime: new Date(0), contentsBytes: 100 };
      expect(prepareSignature(certified(allowed), options).fieldName).toBe('Signature1');
    }
  });

  it('nested beyond the bound', () => {
    const deep = '['.repeat(5000) + ']'.repeat(5000);
    const error = refusal(writePdf(onePage({ 3: `<< /Type /Page /X ${deep} >>` })));
    expect(error.code).toBe('too_complex');
    expect(error.details).toHaveProperty('offset');
  });

  it('an impossible size for the CMS', () => {
    for (const contentsBytes of [0, -1, 1.5, Number.NaN, 1e9]) {
      expect(refusal(writePdf(onePage()), { contentsBytes }).code).toBe('contents_size_invalid');
    }
  });
});

describe('sealing', () => {
  const prepared = prepareSignature(writePdf(onePage()), {
    signingTime: new Date(0),
    contentsBytes: 10,
  });
  const digested = digestDocument(prepared, 'sha256');

  it('refuses a CMS larger than its place', () => {
    expect(() => sealDocument(digested, new Uint8Array(11))).toThrow(
      expect.objectContaining({
        code: 'contents_overflow',
        details: { cmsBytes: 11, contentsBytes: 10 },
      }),
    );
  });

  it('pads a smaller one with zeros, and leaves the phases before it unchanged', () => {
    const before = Buffer.from(prepared.appended);
    const sealed = sealDocument(digested, new Uint8Array([0x30, 0x80, 0xff]));
    const text = Buffer.from(sealed.bytes()).toString('latin1');
    expect(text).toContain('/Contents <3080ff00000000000000>');
    expect(Buffer.compare(prepared.appended, before)).toBe(0);
    expect(sealed.chunks[0]).toBe(prepared.source);
    expect(sealed.size).toBe(text.length);
    expect(Object.isFrozen(prepared) && Object.isFrozen(digested) && Object.isFrozen(sealed)).toBe(
      true,
    );
  });
});
