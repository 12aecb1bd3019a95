import { PdfError } from '../error.ts';
import type { DocumentReader } from '../reader/document-reader.ts';
import type { Page } from '../reader/first-page.ts';
import { acroForm, formFields, type AcroForm, type FormField } from '../reader/form-field.ts';
import { inheritedFieldType } from '../reader/inherited-field-type.ts';
import {
  entryOf,
  isArray,
  isIndex,
  isReference,
  type IndirectObject,
  type PdfDictionary,
} from '../reader/pdf-value.ts';
import { appendItem, setEntry } from './edit.ts';
import type { NewObject, Revision } from './revision.ts';
import { serializeReference, serializeTextString } from './serialize.ts';

/** SignaturesExist and AppendOnly (ISO 32000-2, table 225). */
const SIGNATURE_FLAGS = 3;
/** Print and Locked (table 167): what an invisible signature's widget carries. */
const WIDGET_FLAGS = 132;

/** What a field is made from. */
export interface FieldParts {
  readonly revision: Revision;
  readonly page: Page;
  readonly signature: NewObject;
  /** The wanted fully qualified name; by default the first free `Signature1`, `Signature2`, … */
  readonly fieldName?: string | undefined;
}

/**
 * Puts the signature into a field: an empty signature field of the wanted name when the document has
 * one, else a new invisible one on the page. Returns the field's name.
 * Throws `field_exists` or `field_name_invalid`.
 */
export function placeSignature(reader: DocumentReader, parts: FieldParts): string {
  const form = acroForm(reader);
  const { fieldName, revision, signature } = parts;
  const existing = fieldName === undefined ? undefined : findField(reader, form, fieldName);
  if (fieldName !== undefined && existing !== undefined) {
    requireEmptySignatureField(reader, existing);
    revision.edit(
      existing.object,
      setEntry(existing.dictionary, 'V', serializeReference(signature)),
    );
    extendForm(reader, parts, form, undefined);
    return fieldName;
  }
  const name = fieldName ?? unusedName(reader, form);
  if (name === '' || name.includes('.')) {
    throw new PdfError('field_name_invalid', 'a new field needs a name without full stops');
  }
  const field = revision.reserve();
  revision.add(field, widget(name, parts));
  addToPage(reader, parts, field);
  extendForm(reader, parts, form, field);
  return name;
}

function widget(name: string, { page, signature }: FieldParts): string {
  return (
    `<< /Type /Annot /Subtype /Widget /FT /Sig /T ${serializeTextString(name)}` +
    ` /V ${serializeReference(signature)} /F ${WIDGET_FLAGS} /Rect [0 0 0 0]` +
    ` /P ${serializeReference(page.object)} >>`
  );
}

function findField(
  reader: DocumentReader,
  form: AcroForm | undefined,
  wanted: string,
): FormField | undefined {
  if (form === undefined) return undefined;
  const leadsThere = (name: string): boolean => name === '' || wanted.startsWith(`${name}.`);
  for (const field of formFields(reader, form, leadsThere)) {
    if (field.name === wanted) return field;
  }
  return undefined;
}

function requireEmptySignatureField(reader: DocumentReader, field: FormField): void {
  const type = inheritedFieldType(reader, field.dictionary);
  const signed = reader.get(field.dictionary, 'V') !== null;
  if (type === 'Sig' && !signed && !field.hasChildFields) return;
  throw new PdfError(
    'field_exists',
    signed && type === 'Sig' ? 'the field is already signed' : 'another field has this name',
    { details: { objectNumber: field.object.objectNumber } },
  );
}

function unusedName(reader: DocumentReader, form: AcroForm | undefined): string {
  const names = new Set<string>();
  if (form !== undefined) {
    for (const { name } of formFields(reader, form, (parent) => parent === '')) names.add(name);
  }
  let number = 1;
  while (names.has(`Signature${number}`)) number += 1;
  return `Signature${number}`;
}

function addToPage(reader: DocumentReader, { page, revision }: FieldParts, field: NewObject): void {
  const added = appendToArray(reader, page, 'Annots', serializeReference(field));
  revision.edit(added.object, added.edit);
}

/** Adds an item to an array entry, whether it is direct, indirect, or not there yet. */
function appendToArray(
  reader: DocumentReader,
  holder: { readonly object: IndirectObject; readonly dictionary: PdfDictionary },
  key: string,
  item: string,
) {
  const entry = entryOf(holder.dictionary, key);
  if (isArray(entry)) return { object: holder.object, edit: appendItem(entry, item) };
  const object = isReference(entry) ? reader.locate(entry) : undefined;
  if (object !== undefined && isArray(object.value)) {
    return { object, edit: appendItem(object.value, item) };
  }
  return { object: holder.object, edit: setEntry(holder.dictionary, key, `[${item}]`) };
}

/** Makes the form know the field and that signatures exist (ISO 32000-2, 12.7.3). */
function extendForm(
  reader: DocumentReader,
  { revision }: FieldParts,
  form: AcroForm | undefined,
  field: NewObject | undefined,
): void {
  const item = field === undefined ? undefined : serializeReference(field);
  if (form === undefined) {
    const created = revision.reserve();
    revision.add(created, `<< /Fields [${item ?? ''}] /SigFlags ${SIGNATURE_FLAGS} >>`);
    const catalog = reader.catalog();
    const edit = setEntry(catalog.dictionary, 'AcroForm', serializeReference(created));
    revision.edit(catalog.object, edit);
    return;
  }
  if (item !== undefined) {
    const added = appendToArray(reader, form, 'Fields', item);
    revision.edit(added.object, added.edit);
  }
  const flags = reader.get(form.dictionary, 'SigFlags');
  const known = isIndex(flags) ? flags : 0;
  if ((known & SIGNATURE_FLAGS) === SIGNATURE_FLAGS) return;
  const edit = setEntry(form.dictionary, 'SigFlags', String(known | SIGNATURE_FLAGS));
  revision.edit(form.object, edit);
}
