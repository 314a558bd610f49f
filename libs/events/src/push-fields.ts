/** A value inside a push: text as WeChat sent it (numbers too, so that they stay exact), an object of such values, or a list. */
export type FieldValue = string | FieldObject | FieldValue[];

/** An element with children, by their names. */
export interface FieldObject {
  [element: string]: FieldValue;
}
