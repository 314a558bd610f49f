/**
 * A column that holds sealed values. Each lib lists its own, so that a rotation of keys finds all of them.
 *
 * The names and the expression are the lib's own SQL; none of it comes from outside.
 */
export interface SealedColumn {
  readonly table: string;
  readonly column: string;
  /** The columns of the primary key and their types, in its order. */
  readonly key: Readonly<Record<string, string>>;
  /** The context a row's value is bound to, as an SQL expression over the row. */
  readonly context: string;
}
