// What can be wrong with a template, and with a value that it meets. Both name the line and the column in the template.
import { type CodedErrorClass, defineError, type Place } from '../../runtime/errors.ts';

export const TemplateMalformed: CodedErrorClass<{ readonly detail: string }> = defineError(
  'template.malformed',
  {
    help: 'The template is written in Go\'s text/template: {{ .Payload.After.name }}, {{ if eq .Metadata.kind "x" }}…{{ end }}.',
  },
  (f) => f.detail,
);

export const TemplateFailed: CodedErrorClass<{ readonly detail: string }> = defineError(
  'template.failed',
  {
    help: 'The template does not fit this record. Guard it with {{ if }} or a condition, or decode raw data first (json.decode).',
  },
  (f) => f.detail,
);

/** A failure inside a function, before the place of its call is known. */
export class FunctionFailure extends Error {}

/** Line and column, from 1, of a character of the template. */
export function placeIn(text: string, offset: number): Place {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - (before.lastIndexOf('\n') + 1) + 1 };
}
