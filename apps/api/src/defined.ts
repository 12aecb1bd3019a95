/** `Fields` without the members that may be undefined being present as undefined. */
export type Defined<Fields> = {
  [Name in keyof Fields]: Exclude<Fields[Name], undefined>;
};

/** `fields` without its undefined members: absent and undefined differ to the database. */
export function defined<Fields extends object>(fields: Fields): Defined<Fields> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Defined<Fields>;
}
