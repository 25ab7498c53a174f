// A parsed template. Offsets are characters of its text.

export type TemplateNode =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly pipe: Pipe }
  | {
      readonly kind: 'if' | 'with' | 'range';
      readonly pipe: Pipe;
      readonly body: readonly TemplateNode[];
      readonly otherwise: readonly TemplateNode[];
    }
  | { readonly kind: 'template'; readonly name: string; readonly pipe: Pipe | null; readonly offset: number }
  | { readonly kind: 'break' }
  | { readonly kind: 'continue' };

export interface Pipe {
  readonly variables: readonly string[];
  /** `=` instead of `:=`. */
  readonly assigns: boolean;
  readonly commands: readonly Command[];
  readonly offset: number;
}

export interface Command {
  /** Not empty. */
  readonly operands: readonly Operand[];
  readonly offset: number;
}

export type Operand =
  | { readonly kind: 'function'; readonly name: string; readonly offset: number }
  | { readonly kind: 'dot'; readonly fields: readonly string[]; readonly offset: number }
  | { readonly kind: 'variable'; readonly name: string; readonly fields: readonly string[]; readonly offset: number }
  | { readonly kind: 'pipe'; readonly pipe: Pipe; readonly fields: readonly string[]; readonly offset: number }
  | { readonly kind: 'nil'; readonly offset: number }
  | { readonly kind: 'constant'; readonly value: string | bigint | number | boolean; readonly offset: number };

export interface ParsedTemplate {
  readonly text: string;
  readonly body: readonly TemplateNode[];
  readonly definitions: ReadonlyMap<string, readonly TemplateNode[]>;
}
