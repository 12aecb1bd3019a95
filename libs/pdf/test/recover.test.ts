import { describe, expect, it } from 'vitest';
import { verifyDocument } from '../src/verify/verify-document.ts';
import { verifySealed } from '../src/verify/verify-sealed.ts';
import { appendRevision, onePage, streamText, writePdf } from './pdf-fixture.ts';
import { createIdentity, signPdf } from './signing-fixture.ts';
import { pdfsig, qpdfCheck, renderedPages } from './validators.ts';

const identity = createIdentity('P-256');

/** Signs a damaged file, and expects a sound result that renders as before. */
async function expectRecovered(damaged: Buffer, rendersLike: Buffer): Promise<string> {
  const sealed = await signPdf(damaged, identity);
  const signed = Buffer.from(sealed.bytes());
  expect(sealed.digested.prepared.recovered).toBe(true);
  expect(Buffer.compare(signed.subarray(0, damaged.length), damaged)).toBe(0);
  expect(verifyDocument(signed)).toMatchObject([{ valid: true, coversWholeFile: true, codes: [] }]);
  expect(verifySealed(sealed)).toMatchObject({ valid: true, codes: [] });
  expect(pdfsig(signed)).toEqual([{ valid: true, wholeFile: true }]);
  expect(qpdfCheck(signed)).toBe(0);
  expect(renderedPages(signed)).toEqual(renderedPages(rendersLike));
  return signed.toString('latin1', damaged.length);
}

const edit = (file: Buffer, change: (text: string) => string): Buffer =>
  Buffer.from(change(file.toString('latin1')), 'latin1');

describe('damaged files are recovered by scanning, then get a sound section', () => {
  const sound = writePdf(onePage());
  const damages: readonly [string, (text: string) => string][] = [
    ['startxref leads nowhere', (text) => text.replace(/startxref\n\d+/, 'startxref\n7')],
    ['startxref is beyond the file', (text) => text.replace(/startxref\n\d+/, 'startxref\n999999')],
    ['startxref is missing', (text) => text.replace(/startxref[^]*$/, '')],
    ['the table is missing', (text) => text.replace(/^xref[^]*$/m, '')],
    ['all offsets are off', (text) => text.replace('%PDF-1.7\n', '%PDF-1.7\n%moved\n')],
    ['an entry is malformed', (text) => text.replace(/^\d{10} 00000 n/m, '00000 1x345 n')],
    ['it ends in the trailer', (text) => text.slice(0, text.indexOf('trailer') + 12)],
  ];
  it.each(damages)('%s', async (_name, change) => {
    const appended = await expectRecovered(edit(sound, change), sound);
    expect(appended).not.toContain('/Prev');
  });

  it('object streams', async () => {
    const file = writePdf(onePage(), { form: 'stream', compressed: [1, 2, 3, 5] });
    const damaged = edit(file, (text) => text.replace(/startxref\n\d+/, 'startxref\n7'));
    expect(await expectRecovered(damaged, file)).toContain('/Type /XRef');
  });

  it('the last definition of an object wins', async () => {
    const page = '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 90 90] >>';
    const file = appendRevision(sound, new Map([[3, page]]));
    const damaged = edit(file, (text) =>
      text.replace(/startxref\n\d+\n%%EOF\n$/, 'startxref\n7\n'),
    );
    expect(await expectRecovered(damaged, file)).toContain('/MediaBox [0 0 90 90]');
  });

  it('what looks like objects inside a stream is not taken for some', async () => {
    const decoy = streamText('3 0 obj\n<< /Type /Page /MediaBox [0 0 1 1] >>\nendobj\n');
    const file = writePdf(onePage({ 6: decoy }));
    const damaged = edit(file, (text) => text.replace(/startxref\n\d+/, 'startxref\n7'));
    expect(await expectRecovered(damaged, file)).toContain('/MediaBox [0 0 300 200]');
  });
});
