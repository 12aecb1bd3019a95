import { S3Fault } from './fault.ts';

/** An element's content: text, child elements, or several elements of one name. */
export type XmlValue = string | number | boolean | XmlFields | readonly XmlFields[] | undefined;
export interface XmlFields {
  readonly [name: string]: XmlValue;
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#13;',
};

const escapeText = (text: string): string =>
  text.replace(/[&<>"\r]/g, (character) => escapes[character] ?? character);

function element(name: string, value: XmlValue): string {
  if (value === undefined) return '';
  if (Array.isArray(value)) {
    return (value as readonly XmlFields[]).map((item) => element(name, item)).join('');
  }
  const content =
    typeof value === 'object' ? fields(value as XmlFields) : escapeText(String(value));
  return `<${name}>${content}</${name}>`;
}

const fields = (value: XmlFields): string =>
  Object.entries(value)
    .map(([name, child]) => element(name, child))
    .join('');

/** An XML document of the S3 API. */
export function xmlDocument(root: string, content: XmlFields): string {
  const namespace = root === 'Error' ? '' : ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${namespace}>${fields(content)}</${root}>`;
}

/** The contents of every element `name`; the S3 API's request bodies never nest one in itself. */
export function xmlElements(xml: string, name: string): string[] {
  const pattern = new RegExp(`<${name}(?:\\s[^>]*)?>([^]*?)</${name}>`, 'g');
  return [...xml.matchAll(pattern)].map(([, content]) => content ?? '');
}

/** The text of the first element `name`. */
export function xmlText(xml: string, name: string): string | undefined {
  const [content] = xmlElements(xml, name);
  if (content?.includes('<') === true) throw new S3Fault('MalformedXML', `<${name}> is not text.`);
  return content?.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal, hex, named) => {
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(String(hex), 16));
    return { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }[String(named)] ?? whole;
  });
}
