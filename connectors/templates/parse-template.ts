// Text of a template to its syntax: recursive descent over the tokens. Functions are known by name, variables by scope, so that a
// spelling mistake shows before the first record.

import type { Command, Operand, ParsedTemplate, Pipe, TemplateNode } from './template-syntax.ts';
import { malformed, type Token, tokenize } from './template-tokens.ts';

/** @throws TemplateMalformed */
export function parseTemplate(text: string, functions: ReadonlySet<string>): ParsedTemplate {
  const parser = new TemplateParser(text, functions);
  const body = parser.list(['end of template'], 0).nodes;
  return { text, body, definitions: parser.definitions };
}

interface NodeList {
  readonly nodes: readonly TemplateNode[];
  /** The keyword that ended the list. */
  readonly ended: string;
}

class TemplateParser {
  readonly definitions = new Map<string, readonly TemplateNode[]>();
  readonly #text: string;
  readonly #tokens: readonly Token[];
  readonly #functions: ReadonlySet<string>;
  #at = 0;
  #variables: string[] = ['$'];

  constructor(text: string, functions: ReadonlySet<string>) {
    this.#text = text;
    this.#tokens = tokenize(text);
    this.#functions = functions;
  }

  /** Nodes up to one of the ending keywords, which is consumed; its {{ too. */
  list(enders: readonly string[], loops: number): NodeList {
    const nodes: TemplateNode[] = [];
    for (;;) {
      const token = this.#next();
      if (token.kind === 'end') {
        if (enders.includes('end of template')) return { nodes, ended: '' };
        throw this.#wrong(token, '{{ end }} is missing');
      }
      if (token.kind === 'text') {
        nodes.push({ kind: 'text', text: token.text });
        continue;
      }
      this.#space();
      const first = this.#peek();
      if (first.kind === 'keyword' && (first.text === 'end' || first.text === 'else')) {
        if (!enders.includes(first.text)) throw this.#wrong(first, `unexpected {{ ${first.text} }}`);
        this.#next();
        return { nodes, ended: first.text };
      }
      const node = this.#action(loops);
      if (node !== null) nodes.push(node);
    }
  }

  #action(loops: number): TemplateNode | null {
    const first = this.#peek();
    if (first.kind !== 'keyword' || first.text === 'nil') {
      const pipe = this.#pipe('close');
      return { kind: 'action', pipe };
    }
    this.#next();
    switch (first.text) {
      case 'if':
      case 'with':
      case 'range':
        return this.#control(first.text, loops);
      case 'define':
        this.#define();
        return null;
      case 'block': {
        const name = this.#name('block');
        const pipe = this.#pipe('close');
        this.#definition(name.text);
        return { kind: 'template', name: name.text, pipe, offset: name.offset };
      }
      case 'template': {
        const name = this.#name('template');
        this.#space();
        const hasPipe = this.#peek().kind !== 'close';
        const pipe = hasPipe ? this.#pipe('close') : null;
        if (!hasPipe) this.#next();
        return { kind: 'template', name: name.text, pipe, offset: name.offset };
      }
      case 'break':
      case 'continue':
        if (loops === 0) throw this.#wrong(first, `{{ ${first.text} }} stands outside of {{ range }}`);
        this.#close();
        return { kind: first.text };
      default:
        throw this.#wrong(first, `unexpected {{ ${first.text} }}`);
    }
  }

  #control(kind: 'if' | 'with' | 'range', loops: number): TemplateNode {
    const scope = this.#variables.length;
    const pipe = this.#pipe('close', kind === 'range');
    const list = this.list(['end', 'else'], kind === 'range' ? loops + 1 : loops);
    let otherwise: readonly TemplateNode[] = [];
    if (list.ended === 'else') {
      this.#space();
      const next = this.#peek();
      if (next.kind === 'keyword' && next.text === kind && kind !== 'range') {
        this.#next();
        otherwise = [this.#control(kind, loops)];
        this.#variables.length = scope;
        return { kind, pipe, body: list.nodes, otherwise };
      }
      this.#close();
      otherwise = this.list(['end'], loops).nodes;
    }
    this.#close();
    this.#variables.length = scope;
    return { kind, pipe, body: list.nodes, otherwise };
  }

  #define(): void {
    const name = this.#name('define');
    this.#close();
    this.#definition(name.text);
  }

  #definition(name: string): void {
    const outer = this.#variables;
    this.#variables = ['$'];
    const { nodes } = this.list(['end'], 0);
    this.#close();
    this.#variables = outer;
    this.definitions.set(name, nodes);
  }

  #name(owner: string): Token {
    this.#space();
    const token = this.#next();
    if (token.kind !== 'string') throw this.#wrong(token, `{{ ${owner} }} needs a name in quotes`);
    return token;
  }

  #close(): void {
    this.#space();
    const token = this.#next();
    if (token.kind !== 'close') throw this.#wrong(token, `unexpected "${token.text}", }} is expected`);
  }

  #pipe(end: 'close' | ')', isRange = false): Pipe {
    this.#space();
    const { offset } = this.#peek();
    const { variables, assigns } = this.#declaration(isRange);
    const commands: Command[] = [];
    for (;;) {
      this.#space();
      const token = this.#peek();
      if (token.kind === 'close' || (token.kind === 'sign' && token.text === ')')) {
        const isEnd = end === 'close' ? token.kind === 'close' : token.text === ')';
        if (!isEnd) throw this.#wrong(token, end === ')' ? 'a parenthesis is not closed' : 'unexpected ")"');
        if (commands.length === 0) throw this.#wrong(token, 'a value is missing');
        this.#next();
        return { variables, assigns, commands, offset };
      }
      const [command, another] = this.#command();
      const head = command.operands[0];
      if (commands.length > 0 && (head?.kind === 'constant' || head?.kind === 'nil')) {
        throw this.#wrong(token, 'only a function or a method can stand behind |');
      }
      commands.push(command);
      if (another) {
        this.#space();
        const behind = this.#peek();
        if (behind.kind === 'close' || behind.text === ')') throw this.#wrong(behind, 'a command is missing behind |');
      }
    }
  }

  /** `$x :=`, `$x =`, `$i, $x :=`; puts nothing back but what it has not taken. */
  #declaration(isRange: boolean): { readonly variables: readonly string[]; readonly assigns: boolean } {
    const start = this.#at;
    const variables: string[] = [];
    while (this.#peek().kind === 'variable') {
      variables.push(this.#next().text);
      this.#space();
      const sign = this.#peek();
      if (sign.kind === 'sign' && sign.text === ',' && isRange && variables.length === 1) {
        this.#next();
        this.#space();
        continue;
      }
      if (sign.kind === 'sign' && (sign.text === ':=' || sign.text === '=')) {
        this.#next();
        if (sign.text === ':=') this.#variables.push(...variables);
        else for (const name of variables) this.#known(name, sign);
        return { variables, assigns: sign.text === '=' };
      }
      break;
    }
    this.#at = start;
    return { variables: [], assigns: false };
  }

  /** Operands up to |, ) or }}; whether | was there. */
  #command(): [Command, boolean] {
    const { offset } = this.#peek();
    const operands: Operand[] = [];
    for (;;) {
      this.#space();
      const token = this.#peek();
      if (token.kind === 'close' || (token.kind === 'sign' && token.text === ')')) break;
      if (token.kind === 'sign' && token.text === '|') {
        if (operands.length === 0) throw this.#wrong(token, 'a command is missing before |');
        this.#next();
        return [{ operands, offset }, true];
      }
      operands.push(this.#operand());
      const behind = this.#peek();
      if (behind.kind !== 'space' && behind.kind !== 'close' && !(behind.kind === 'sign' && /[|)]/.test(behind.text))) {
        throw this.#wrong(behind, `unexpected "${behind.text}"`);
      }
    }
    return [{ operands, offset }, false];
  }

  #operand(): Operand {
    const token = this.#next();
    const { offset } = token;
    switch (token.kind) {
      case 'name':
        if (token.text === 'true' || token.text === 'false') {
          return { kind: 'constant', value: token.text === 'true', offset };
        }
        if (!this.#functions.has(token.text)) {
          throw malformed(this.#text, offset, `there is no function "${token.text}"`, token.text, [...this.#functions]);
        }
        return { kind: 'function', name: token.text, offset };
      case 'keyword':
        if (token.text === 'nil') return { kind: 'nil', offset };
        throw this.#wrong(token, `unexpected keyword ${token.text}`);
      case 'dot':
        return { kind: 'dot', fields: [], offset };
      case 'field':
        return { kind: 'dot', fields: [token.text, ...this.#fields()], offset };
      case 'variable':
        this.#known(token.text, token);
        return { kind: 'variable', name: token.text, fields: this.#fields(), offset };
      case 'number':
        return { kind: 'constant', value: this.#number(token), offset };
      case 'string':
        return { kind: 'constant', value: token.text, offset };
      case 'sign':
        if (token.text === '(') {
          const pipe = this.#pipe(')');
          return { kind: 'pipe', pipe, fields: this.#fields(), offset };
        }
        throw this.#wrong(token, `unexpected "${token.text}"`);
      default:
        throw this.#wrong(token, `unexpected "${token.text}"`);
    }
  }

  #fields(): string[] {
    const fields: string[] = [];
    while (this.#peek().kind === 'field') fields.push(this.#next().text);
    return fields;
  }

  #number(token: Token): bigint | number {
    const text = token.text.replaceAll('_', '');
    if (/^[+-]?(0[xXbBoO][0-9a-fA-F]+|\d+)$/.test(text)) {
      const digits = text.replace(/^[+-]/, '').replace(/^0(?=[0-7]+$)/, '0o');
      const value = text.startsWith('-') ? -BigInt(digits) : BigInt(digits);
      if (BigInt.asIntN(64, value) !== value) throw this.#wrong(token, `${token.text} overflows a 64-bit integer`);
      return value;
    }
    return Number(text);
  }

  #known(name: string, token: Token): void {
    if (!this.#variables.includes(name)) {
      throw malformed(this.#text, token.offset, `there is no variable "${name}"`, name, this.#variables);
    }
  }

  #space(): void {
    while (this.#peek().kind === 'space') this.#at++;
  }

  #peek(): Token {
    return this.#tokens[Math.min(this.#at, this.#tokens.length - 1)] ?? { kind: 'end', text: '', offset: 0 };
  }

  #next(): Token {
    const token = this.#peek();
    this.#at++;
    return token;
  }

  #wrong(token: Token, detail: string): Error {
    return malformed(this.#text, token.offset, detail);
  }
}
