import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { verifyDocument } from '../src/verify/verify-document.ts';
import { examples, examplesFolder } from './examples/make-examples.ts';
import { createIdentity, signPdf } from './signing-fixture.ts';
import { opensslVerifies, pdfsig, qpdfCheck, renderedPages } from './validators.ts';

const identity = createIdentity('P-384');
const refusals: Readonly<Record<string, string>> = {
  'refused/encrypted.pdf': 'encrypted',
  'refused/damaged.pdf': 'damaged',
  'refused/not-a-pdf.pdf': 'not_a_pdf',
};
const read = (name: string): Buffer => readFileSync(join(examplesFolder, name));
const signable = Object.keys(examples).filter((name) => refusals[name] === undefined);

describe('the sample files', () => {
  it.each(signable)('%s is signed', async (name) => {
    const source = read(name);
    const sealed = await signPdf(source, identity);
    const signed = sealed.bytes();
    expect(verifyDocument(signed)).toMatchObject([{ valid: true, coversWholeFile: true }]);
    expect(pdfsig(signed)).toEqual([{ valid: true, wholeFile: true }]);
    expect(opensslVerifies(sealed, identity.rootPem)).toBe(true);
    expect([qpdfCheck(source), qpdfCheck(signed)]).toEqual([0, 0]);
    expect(renderedPages(signed)).toEqual(renderedPages(source));
  });

  it('application-form.pdf has a field to sign', async () => {
    const fieldName = 'Applicant';
    const signed = (await signPdf(read('application-form.pdf'), identity, { fieldName })).bytes();
    expect(verifyDocument(signed)).toMatchObject([{ fieldName, valid: true }]);
    expect(pdfsig(signed)).toEqual([{ valid: true, wholeFile: true }]);
  });

  it.each(Object.entries(refusals))('%s is refused as %s', async (name, code) => {
    await expect(signPdf(read(name), identity)).rejects.toMatchObject({ code });
  });
});
