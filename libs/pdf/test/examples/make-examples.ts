import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import {
  applicationForm,
  contract,
  damaged,
  deliveryNote,
  encrypted,
  invoice,
  notAPdf,
  report,
} from './samples.ts';

/** The files of `examples/`, by path. Running this module writes them. */
export const examples: Readonly<Record<string, () => Buffer>> = {
  'invoice.pdf': invoice,
  'report.pdf': report,
  'contract.pdf': contract,
  'application-form.pdf': applicationForm,
  'delivery-note.pdf': deliveryNote,
  'refused/encrypted.pdf': encrypted,
  'refused/damaged.pdf': damaged,
  'refused/not-a-pdf.pdf': notAPdf,
};

export const examplesFolder = resolve(import.meta.dirname, '../../../../examples');

if (process.argv[1] === import.meta.filename) {
  for (const [name, make] of Object.entries(examples)) {
    const path = join(examplesFolder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, make());
  }
}
