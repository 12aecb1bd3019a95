import { appendRevision, deflatedText, streamText, writePdf } from '../pdf-fixture.ts';
import { encryptPdf } from './encrypt-pdf.ts';
import { fontObjects, PageContent } from './page-content.ts';

const CATALOG = 1;
const PAGES = 2;
const FONTS = 3;
const INFO = 5;
const FIRST_PAGE = 6;
const BLUE = [0.1, 0.25, 0.45];
const PALE = [0.9, 0.93, 0.97];

/** What a sample is beside its pages. */
interface SampleParts {
  readonly title: string;
  readonly pages: readonly PageContent[];
  /** Further catalog and page entries, and objects from 90 on. */
  readonly catalog?: string;
  readonly page?: string;
  readonly more?: Readonly<Record<number, string>>;
  readonly plain?: boolean;
}

function sampleObjects(parts: SampleParts): Map<number, string> {
  const numbers = parts.pages.map((_page, index) => FIRST_PAGE + 2 * index);
  const kids = numbers.map((number) => `${number} 0 R`).join(' ');
  const objects = new Map<number, string>([
    [CATALOG, `<< /Type /Catalog /Pages ${PAGES} 0 R /Lang (en) ${parts.catalog ?? ''}>>`],
    [PAGES, `<< /Type /Pages /Kids [${kids}] /Count ${numbers.length} >>`],
    ...fontObjects(FONTS),
    [INFO, `<< /Title (${parts.title}) /Producer (signfleet samples) >>`],
  ]);
  const resources = `<< /Font << /F1 ${FONTS} 0 R /F2 ${FONTS + 1} 0 R >> >>`;
  parts.pages.forEach((content, index) => {
    const number = FIRST_PAGE + 2 * index;
    objects.set(
      number,
      `<< /Type /Page /Parent ${PAGES} 0 R /MediaBox [0 0 595 842] /Resources ${resources}` +
        ` /Contents ${number + 1} 0 R ${parts.page ?? ''}>>`,
    );
    const operators = content.operators();
    objects.set(number + 1, parts.plain ? streamText(operators) : deflatedText(operators));
  });
  for (const [number, text] of Object.entries(parts.more ?? {})) objects.set(Number(number), text);
  return objects;
}

const identifier = (name: string): string =>
  `/ID [<${Buffer.from(name.padEnd(16).slice(0, 16)).toString('hex')}> <${'00'.repeat(16)}>]`;
const trailer = (name: string): string =>
  `/Root ${CATALOG} 0 R /Info ${INFO} 0 R ${identifier(name)}`;

function letterhead(heading: string): PageContent {
  return new PageContent()
    .rectangle([0, 782, 595, 60], BLUE)
    .text([40, 750], 20, heading, 'F2')
    .text([40, 730], 9, 'Nordlicht Instruments AB, Hamngatan 4, 211 22 Malm\xf6, Sweden');
}

/** A classic cross-reference table, plain content: the simplest file there is. */
export function invoice(): Buffer {
  const rows: readonly [string, string, string][] = [
    ['Spectrometer NL-200', '2', '8,400.00'],
    ['Calibration, on site', '1', '950.00'],
    ['Sample holders, set of 12', '5', '312.50'],
    ['Shipping', '1', '48.00'],
  ];
  const page = letterhead('Invoice 2026-0117')
    .paragraph([40, 690], 10, ['To: Greta Lindqvist, Lund Observatory', 'Due: 30 days net'])
    .rectangle([40, 622, 515, 20], PALE);
  ['Item', 'Count', 'EUR'].forEach((head, column) =>
    page.text([[50, 360, 470][column] ?? 0, 628], 10, head, 'F2'),
  );
  rows.forEach(([item, count, amount], index) => {
    const y = 602 - index * 22;
    page.text([50, y], 10, item).text([360, y], 10, count).text([470, y], 10, amount);
    page.line([40, y - 7], [555, y - 7]);
  });
  page.text([360, 500], 12, 'Total', 'F2').text([470, 500], 12, '9,710.50', 'F2');
  const objects = sampleObjects({ title: 'Invoice 2026-0117', pages: [page], plain: true });
  return writePdf(objects, { version: '1.4', trailer: trailer('invoice') });
}

/** PDF 1.7 with a cross-reference stream; catalog, pages and fonts lie in an object stream. */
export function report(): Buffer {
  const bars = [42, 55, 48, 71, 90, 84, 97, 120];
  const page = letterhead('Quarterly report').text([40, 690], 12, 'Instruments delivered', 'F2');
  bars.forEach((value, index) => {
    page.rectangle([60 + index * 58, 440, 40, value * 1.8], BLUE);
    page.text([62 + index * 58, 424], 9, `Q${(index % 4) + 1} ${index < 4 ? 2024 : 2025}`);
  });
  page.line([50, 440], [545, 440], 1);
  const second = letterhead('Outlook').paragraph([40, 690], 11, [
    'Orders in hand cover the first two quarters.',
    'The new calibration laboratory opens in May.',
  ]);
  return writePdf(sampleObjects({ title: 'Quarterly report', pages: [page, second] }), {
    form: 'stream',
    predictor: true,
    compressed: [CATALOG, PAGES, FONTS, FONTS + 1, INFO, FIRST_PAGE, FIRST_PAGE + 2],
    trailer: trailer('report'),
  });
}

/** Eight pages with bookmarks. */
export function contract(): Buffer {
  const clauses = 'Scope,Delivery,Prices,Warranty,Liability,Confidentiality,Term,Final provisions';
  const titles = clauses.split(',');
  const pages = titles.map((title, index) =>
    letterhead(`${index + 1}. ${title}`)
      .paragraph(
        [40, 690],
        11,
        Array.from({ length: 24 }, (_line, line) => {
          return `${index + 1}.${line + 1}  The parties agree on ${title.toLowerCase()} as set out in annex ${line + 1}.`;
        }),
      )
      .text([280, 40], 9, `${index + 1} / ${titles.length}`),
  );
  const first = 91;
  const last = first + titles.length - 1;
  const more: Record<number, string> = {
    90: `<< /Type /Outlines /First ${first} 0 R /Last ${last} 0 R /Count ${titles.length} >>`,
  };
  titles.forEach((title, index) => {
    const number = first + index;
    const previous = index > 0 ? `/Prev ${number - 1} 0 R ` : '';
    const next = number < last ? `/Next ${number + 1} 0 R ` : '';
    const page = FIRST_PAGE + 2 * index;
    more[number] = `<< /Title (${title}) /Parent 90 0 R ${previous}${next}/Dest [${page} 0 R /Fit] >>`;
  });
  const objects = sampleObjects({
    title: 'Framework contract',
    pages,
    catalog: '/Outlines 90 0 R /PageMode /UseOutlines ',
    more,
  });
  return writePdf(objects, { trailer: trailer('contract') });
}

/** A form with two text fields and an empty signature field named `Applicant`. */
export function applicationForm(): Buffer {
  const box = '/Type /Annot /Subtype /Widget /F 4';
  const look = (width: number, operators: string): string =>
    streamText(operators, `/Type /XObject /Subtype /Form /BBox [0 0 ${width} 20] /Resources << /Font << /Helv ${FONTS} 0 R >> >> `);
  const typed = (text: string): string =>
    look(300, `/Tx BMC BT /Helv 11 Tf 4 6 Td (${text}) Tj ET EMC`);
  const page = letterhead('Application for access')
    .paragraph([40, 690], 10, ['Name', '', 'Department', '', 'Signature of the applicant'])
    .rectangle([200, 685, 300, 20], PALE)
    .rectangle([200, 655, 300, 20], PALE)
    .line([200, 600], [500, 600]);
  const objects = sampleObjects({
    title: 'Application for access',
    pages: [page],
    catalog: '/AcroForm 90 0 R ',
    page: '/Annots 91 0 R ',
    more: {
      90: `<< /Fields [92 0 R 93 0 R 94 0 R] /DA (/Helv 11 Tf 0 g) /DR << /Font << /Helv ${FONTS} 0 R >> >> >>`,
      91: '[92 0 R 93 0 R 94 0 R]',
      92: `<< ${box} /FT /Tx /T (Name) /V (Ada Berg) /DA (/Helv 11 Tf 0 g) /Rect [200 685 500 705] /AP << /N 95 0 R >> >>`,
      93: `<< ${box} /FT /Tx /T (Department) /V (Optics) /DA (/Helv 11 Tf 0 g) /Rect [200 655 500 675] /AP << /N 96 0 R >> >>`,
      94: `<< ${box} /FT /Sig /T (Applicant) /Rect [200 600 500 630] /AP << /N 97 0 R >> >>`,
      95: typed('Ada Berg'),
      96: typed('Optics'),
      97: look(300, ''),
    },
  });
  return writePdf(objects, { trailer: trailer('form') });
}

/** Two revisions: the second put a note on the page, as a reviewer's program does. */
export function deliveryNote(): Buffer {
  const page = letterhead('Delivery note 88').paragraph([40, 690], 11, [
    '2 crates, 41 kg, undamaged.',
    'Received at gate 3.',
  ]);
  const objects = sampleObjects({ title: 'Delivery note 88', pages: [page] });
  const first = writePdf(objects, { version: '2.0', trailer: trailer('note') });
  const text = objects.get(FIRST_PAGE) ?? '';
  const revised = text.replace(/>>$/, '/Annots [10 0 R] >>');
  const note = '<< /Type /Annot /Subtype /Text /Rect [300 660 320 680] /Contents (Checked) /F 4 >>';
  const changes = new Map([
    [FIRST_PAGE, revised],
    [10, note],
  ]);
  return appendRevision(first, changes, { trailer: trailer('note') });
}

/** A letter under the user password `secret` (RC4, 128 bits): signing is refused as `encrypted`. */
export function encrypted(): Buffer {
  const page = letterhead('Salary statement').text([40, 690], 11, 'For the addressee only.');
  return encryptPdf(sampleObjects({ title: 'Salary', pages: [page] }), {
    userPassword: 'secret',
    trailer: `/Root ${CATALOG} 0 R`,
  });
}

/** What a broken transfer leaves of a file: its first part, without catalog and end. */
export function damaged(): Buffer {
  const whole = report();
  return whole.subarray(0, Math.floor(whole.length * 0.4));
}

/** A web page saved under the wrong name. */
export function notAPdf(): Buffer {
  return Buffer.from('<!doctype html>\n<title>404</title>\n<p>The invoice was not found.</p>\n');
}
