// What a user sends to create or edit a pipeline, read and checked. Every field is checked before anything changes.
import type { PipelineSource, ProgramConfiguration } from '../hosting/pipeline-record.ts';
import { readRuntimeConfiguration, workersGiven } from '../hosting/runtime-configuration.ts';
import { HttpProblem } from '../http/http-problem.ts';

export type SourceEdit = { -readonly [K in keyof PipelineSource]?: PipelineSource[K] };

const namePattern = /^([A-Za-z0-9][-A-Za-z0-9_]*)?[A-Za-z0-9]$/;
const profiles = ['dev', 'unoptimized', 'optimized', 'optimized_symbols'];

/** A whole pipeline, defaults filled in. `name`: that of the path, where there is one. @throws HttpProblem 400 */
export function readSource(body: unknown): PipelineSource {
  const edit = readEdit(body);
  if (edit.name === undefined) throw bad('InvalidParam', 'missing field `name`');
  if (edit.programCode === undefined) throw bad('InvalidParam', 'missing field `program_code`');
  return {
    name: edit.name,
    programCode: edit.programCode,
    description: edit.description ?? '',
    tags: edit.tags ?? [],
    runtimeConfig: edit.runtimeConfig ?? readRuntimeConfiguration(undefined),
    workers: edit.workers ?? null,
    udfRust: edit.udfRust ?? '',
    udfToml: edit.udfToml ?? '',
    programConfig: edit.programConfig ?? readProgramConfiguration({}),
  };
}

/** Only what is there; null is the same as not there. @throws HttpProblem 400 */
export function readEdit(body: unknown): SourceEdit {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw bad('InvalidParam', 'the body is no JSON object');
  }
  // SAFETY: an object that is neither null nor a list.
  const object = body as Readonly<Record<string, unknown>>;
  const given = (key: string): unknown => object[key] ?? undefined;
  const edit: SourceEdit = {};
  const name = readText(object, 'name');
  if (name !== undefined) edit.name = checkName(name);
  const description = readText(object, 'description');
  if (description !== undefined) edit.description = checkDescription(description);
  if (given('tags') !== undefined) edit.tags = readTags(given('tags'));
  if (given('runtime_config') !== undefined) {
    edit.runtimeConfig = readRuntimeConfiguration(given('runtime_config'));
    edit.workers = workersGiven(given('runtime_config'));
  }
  const programCode = readText(object, 'program_code');
  if (programCode !== undefined) edit.programCode = programCode;
  const udfRust = readText(object, 'udf_rust');
  if (udfRust !== undefined) edit.udfRust = udfRust;
  const udfToml = readText(object, 'udf_toml');
  if (udfToml !== undefined) edit.udfToml = udfToml;
  if (given('program_config') !== undefined) edit.programConfig = readProgramConfiguration(given('program_config'));
  return edit;
}

function readText(object: Readonly<Record<string, unknown>>, key: string): string | undefined {
  const value = object[key] ?? undefined;
  if (value === undefined || typeof value === 'string') return value;
  throw bad('InvalidParam', `\`${key}\` is no text`);
}

function checkName(name: string): string {
  if (name.length === 0) throw bad('EmptyName', 'the name of a pipeline cannot be empty');
  if (name.length > 63) {
    throw bad('TooLongName', `the name is ${name.length} characters long; 63 are allowed`, {
      name,
      length: name.length,
      max_length: 63,
    });
  }
  if (namePattern.test(name)) return name;
  const description = 'letters, digits, - and _; begins and ends with a letter or digit';
  throw bad('NameDoesNotMatchPattern', `'${name}' is no name of a pipeline: ${description}`, {
    name,
    pattern: namePattern.source,
    pattern_description: description,
  });
}

function checkDescription(text: string): string {
  if ([...text].length <= 300) return text;
  throw bad('TooLongDescription', `the description is ${[...text].length} characters long; 300 are allowed`);
}

function readTags(value: unknown): readonly string[] {
  if (!Array.isArray(value)) throw bad('InvalidTag', '`tags` is no list');
  if (value.length > 50) throw bad('TooManyTags', `${value.length} tags; 50 are allowed`);
  return value.map((tag: unknown) => {
    if (typeof tag === 'string' && /^[a-zA-Z0-9 ._/|\\:=-]{1,50}$/.test(tag)) return tag;
    throw bad('InvalidTag', `${JSON.stringify(tag)} is no tag: 1 to 50 letters, digits, blanks and ._/|\\:=-`);
  });
}

function readProgramConfiguration(value: unknown): ProgramConfiguration {
  const invalid = (detail: string): HttpProblem =>
    bad('InvalidProgramConfig', `the program configuration is not valid: ${detail}`, { value, error: detail });
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid('no object');
  // SAFETY: an object that is neither null nor a list.
  const object = value as Readonly<Record<string, unknown>>;
  const { profile = null, cache = true, runtime_version: version = null, use_platform_compiler: own = false } = object;
  if (profile !== null && !(typeof profile === 'string' && profiles.includes(profile))) {
    throw invalid(`profile is none of ${profiles.join(', ')}`);
  }
  if (typeof cache !== 'boolean') throw invalid('cache is no boolean');
  if (typeof own !== 'boolean') throw invalid('use_platform_compiler is no boolean');
  if (version !== null && !(typeof version === 'string' && /^(v\d+\.\d+\.\d+|[0-9a-f]{40})$/.test(version))) {
    throw invalid('runtime_version is neither vX.Y.Z nor a commit');
  }
  return { profile, cache, runtime_version: version, use_platform_compiler: own };
}

function bad(code: string, message: string, details: unknown = null): HttpProblem {
  return new HttpProblem({ status: 400, code, message, details });
}
