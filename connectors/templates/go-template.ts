// A template in the language of Go's text/template with sprig's functions, compiled once and run over records.
//
// For conditions, field.set, webhook.http and record formats. Bounded in what it makes; it sees the record, the clock and nothing else.
// Our own: the packages on npm that run Go templates either start Go itself or know a part of the language (docs/decisions).
import type { Clock } from '../../runtime/clock.ts';
import type { ConnectorRecord } from '../sdk/record.ts';
import { type Execution, executeTemplate } from './execute-template.ts';
import { functionTable, refusedFunctions } from './function-table.ts';
import type { GoValue } from './go-values.ts';
import { bytesOfText } from './go-values.ts';
import { parseTemplate } from './parse-template.ts';
import { recordValue } from './record-value.ts';
import { placeIn, TemplateMalformed } from './template-errors.ts';
import type { Command, Operand, Pipe, TemplateNode } from './template-syntax.ts';

export interface TemplateOptions {
  /** Go's option missingkey=error. Default false: <no value>. */
  readonly missingKeyFails?: boolean;
}

const known: ReadonlySet<string> = new Set([...functionTable.keys(), ...refusedFunctions.keys()]);

export class GoTemplate {
  readonly #execution: Execution;

  /** @throws TemplateMalformed */
  constructor(text: string, clock: Clock, options: TemplateOptions = {}) {
    const template = parseTemplate(text, known);
    refuseFunctions(text, [template.body, ...template.definitions.values()].flat());
    this.#execution = {
      template,
      functions: functionTable,
      host: { clock },
      missingKeyFails: options.missingKeyFails ?? false,
    };
  }

  get nodes(): readonly TemplateNode[] {
    return this.#execution.template.body;
  }

  /** @throws TemplateFailed */
  execute(data: GoValue): string {
    return executeTemplate(this.#execution, data);
  }

  /** @throws TemplateFailed */
  executeRecord(record: ConnectorRecord): string {
    return this.execute(recordValue(record));
  }

  /** Bytes come out as they went in, also where they are no UTF-8. @throws TemplateFailed */
  recordBytes(record: ConnectorRecord): Uint8Array {
    return bytesOfText(this.executeRecord(record));
  }
}

/** Functions of sprig that are not for templates over records are refused by name, before the first record. */
function refuseFunctions(text: string, nodes: readonly TemplateNode[]): void {
  const visitOperand = (operand: Operand): void => {
    if (operand.kind === 'pipe') visitPipe(operand.pipe);
    if (operand.kind !== 'function') return;
    const reason = refusedFunctions.get(operand.name);
    if (reason === undefined) return;
    const detail = `the function "${operand.name}" is refused: ${reason}`;
    throw new TemplateMalformed({ detail }, { place: placeIn(text, operand.offset) });
  };
  const visitCommand = ({ operands }: Command): void => operands.forEach(visitOperand);
  const visitPipe = (pipe: Pipe): void => pipe.commands.forEach(visitCommand);
  const visit = (node: TemplateNode): void => {
    if ('pipe' in node && node.pipe !== null) visitPipe(node.pipe);
    if ('body' in node) [...node.body, ...node.otherwise].forEach(visit);
  };
  nodes.forEach(visit);
}
