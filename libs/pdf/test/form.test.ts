import { describe, expect, it } from 'vitest';
import { PdfError } from '../src/error.ts';
import { verifyDocument } from '../src/verify/verify-document.ts';
import { onePage, writePdf } from './pdf-fixture.ts';
import { createIdentity, signPdf } from './signing-fixture.ts';
import { pdfsig, qpdfCheck } from './validators.ts';

const identity = createIdentity('P-256');

const textField = '<< /FT /Tx /T (Town) /Type /Annot /Subtype /Widget /Rect [0 0 9 9] >>';
const emptyField = '<< /FT /Sig /T (Approval) /Type /Annot /Subtype /Widget /Rect [0 0 0 0] >>';

/** A document with the given form; the page's annotations are its fields 6 and 7. */
function withForm(form: string, changes: Record<number, string> = {}): Buffer {
  return writePdf(
    onePage({
      1: `<< /Type /Catalog /Pages 2 0 R /AcroForm ${form} >>`,
      3: '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Annots [6 0 R 7 0 R] >>',
      6: textField,
      7: emptyField,
      ...changes,
    }),
  );
}

async function sign(source: Uint8Array, fieldName?: string) {
  const signed = (await signPdf(source, identity, { fieldName })).bytes();
  expect(qpdfCheck(signed)).toBe(0);
  expect(pdfsig(signed).filter(({ valid, wholeFile }) => valid && wholeFile)).toHaveLength(1);
  return { signed, appended: Buffer.from(signed.subarray(source.length)).toString('latin1') };
}

function codeOf(source: Uint8Array, fieldName: string): Promise<unknown> {
  return signPdf(source, identity, { fieldName }).then(
    () => 'signed',
    (error: unknown) => (error instanceof PdfError ? error.code : error),
  );
}

describe('the form is created or extended', () => {
  it('created', async () => {
    const { appended } = await sign(writePdf(onePage()));
    expect(appended).toMatch(/\/Fields \[\d+ 0 R\] \/SigFlags 3/);
    expect(appended).toMatch(/\/Type \/Catalog \/Pages 2 0 R +\/AcroForm \d+ 0 R/);
  });

  it('direct, with direct fields', async () => {
    const source = withForm('<< /Fields [6 0 R 7 0 R] /DA (/Helv 0 Tf) /SigFlags 1 >>');
    const { appended } = await sign(source);
    expect(appended).toMatch(
      /\/Fields \[6 0 R 7 0 R \d+ 0 R \] \/DA \(\/Helv 0 Tf\) \/SigFlags +3/,
    );
  });

  it('indirect, with indirect fields', async () => {
    const source = withForm('8 0 R', { 8: '<< /Fields 9 0 R >>', 9: '[6 0 R 7 0 R]' });
    const { appended } = await sign(source);
    expect(appended).toMatch(/^9 0 obj\n\[6 0 R 7 0 R \d+ 0 R \]/m);
    expect(appended).toMatch(/^8 0 obj\n<< \/Fields 9 0 R +\/SigFlags 3/m);
    expect(appended).not.toMatch(/^1 0 obj/m);
  });

  it('without fields, or dangling', async () => {
    const { appended } = await sign(withForm('<< >>'));
    expect(appended).toMatch(/\/Fields \[\d+ 0 R\]/);
    const dangling = await sign(withForm('99 0 R'));
    expect(dangling.appended).toMatch(/\/AcroForm +\d+ 0 R/);
  });
});

describe('field names', () => {
  const form = '<< /Fields [6 0 R 7 0 R] >>';

  it('is the first free one', async () => {
    const source = withForm(form, {
      6: '<< /FT /Tx /T (Signature1) /Subtype /Widget /Rect [0 0 0 0] >>',
      7: '<< /FT /Tx /T <FEFF005300690067006E006100740075007200650032> /Subtype /Widget /Rect [0 0 0 0] >>',
    });
    const { signed } = await sign(source);
    expect(verifyDocument(signed).map(({ fieldName }) => fieldName)).toEqual(['Signature3']);
  });

  it('signs an empty field of the wanted name', async () => {
    const { signed, appended } = await sign(withForm(form), 'Approval');
    expect(appended).toMatch(/^7 0 obj\n<< \/FT \/Sig \/T \(Approval\).*\/V \d+ 0 R/m);
    expect(appended).not.toContain('/F 132');
    expect(verifyDocument(signed)).toMatchObject([{ fieldName: 'Approval', valid: true }]);
  });

  it('signs an empty field below others, its type inherited', async () => {
    const source = withForm('<< /Fields [8 0 R] >>', {
      7: '<< /T (Second) /Parent 8 0 R /Type /Annot /Subtype /Widget /Rect [0 0 0 0] >>',
      8: '<< /FT /Sig /T (Board) /Kids [7 0 R] >>',
    });
    const { signed } = await sign(source, 'Board.Second');
    expect(verifyDocument(signed)).toMatchObject([{ fieldName: 'Board.Second', valid: true }]);
  });

  it('creates a field of a new name, also outside ASCII', async () => {
    const { signed } = await sign(withForm(form), 'Prüfung 承認');
    expect(verifyDocument(signed)).toMatchObject([{ fieldName: 'Prüfung 承認', valid: true }]);
  });

  it('refuses names that are taken or impossible', async () => {
    expect(await codeOf(withForm(form), 'Town')).toBe('field_exists');
    const signed = await sign(withForm(form), 'Approval');
    expect(await codeOf(signed.signed, 'Approval')).toBe('field_exists');
    expect(await codeOf(withForm(form), 'New.Name')).toBe('field_name_invalid');
    expect(await codeOf(withForm(form), '')).toBe('field_name_invalid');
  });

  it('survives loops in the field tree', async () => {
    const source = withForm('<< /Fields [8 0 R] >>', {
      8: '<< /T (Loop) /Kids [8 0 R 7 0 R] >>',
    });
    const { signed } = await sign(source);
    expect(verifyDocument(signed)).toMatchObject([{ fieldName: 'Signature1' }]);
  });
});
