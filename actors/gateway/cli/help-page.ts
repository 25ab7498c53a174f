// What `millrace help` prints: the list of commands, and the page of one. No line is longer than a terminal of 100 columns.
//
// Commands describe themselves in paragraphs (command.ts); lines are broken here, so that an option may be added to a sentence without
// minding its width. A paragraph of lines that begin with two blanks and an option is a list of options.
import type { Command } from './command.ts';

const columnsMax = 100;

/** The list of commands: what they are called with, without their options. */
export function overview(commands: readonly Command[]): string {
  const entries: readonly (readonly [string, string])[] = [
    ...commands.map(({ synopsis, summary }) => [withoutOptions(synopsis), summary] as const),
    ['help [COMMAND]', 'This page, or that of a command with its options.'],
    ['version', 'Versions of Millrace and Node.'],
  ];
  const width = Math.max(...entries.map(([synopsis]) => synopsis.length));
  return [
    'Millrace: streaming SQL inside Node.',
    '',
    'usage: millrace COMMAND …',
    '',
    ...entries.map(([synopsis, summary]) => hanging(`  ${synopsis.padEnd(width)}  `, summary)),
    '',
    wrapped(
      'against a server: --url URL or MILLRACE_URL (default http://127.0.0.1:8080), --api-key KEY or MILLRACE_API_KEY',
    ),
    wrapped(
      'exit codes: 0 done, 1 the pipeline, a connector or the call of a server failed, 2 invalid configuration or usage, 130 ended by a second signal',
    ),
    '',
  ].join('\n');
}

/** The page of one command. */
export function commandPage({ synopsis, summary, description }: Command): string {
  const paragraphs = description
    .split(/\n{2,}/)
    .map((paragraph) => (paragraph.startsWith('  --') ? optionList(paragraph) : wrapped(paragraph)));
  return `${[hanging('usage: millrace ', synopsis), wrapped(summary), ...paragraphs].join('\n\n')}\n`;
}

/** One option a line, its name and what it is, with the second column below one another. */
function optionList(paragraph: string): string {
  const options = paragraph.split('\n').map((line) => /^ {2}(--\S+) +(.*)$/.exec(line) ?? [line, line.trim(), '']);
  const width = Math.max(...options.map(([, name = '']) => name.length));
  return options.map(([, name = '', text = '']) => hanging(`  ${name.padEnd(width)}  `, text)).join('\n');
}

function withoutOptions(synopsis: string): string {
  return synopsis.replaceAll(/ \[--[^\]]*\]/g, '');
}

function wrapped(paragraph: string): string {
  return hanging('', paragraph);
}

/** `text` behind `head`, its further lines below where it began. What stands in brackets is not torn. */
function hanging(head: string, text: string): string {
  const lines: string[] = [];
  let line = head;
  let isEmpty = true;
  for (const word of text.match(/\[[^\]]*\]|\S+/g) ?? []) {
    if (!isEmpty && line.length + 1 + word.length > columnsMax) {
      lines.push(line);
      line = ' '.repeat(head.length);
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line].join('\n');
}
