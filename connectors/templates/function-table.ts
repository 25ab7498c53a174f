// Every function that a template may call, by name, and those of sprig that are refused, with the reason.
import { basicFunctions } from './functions-basic.ts';
import { collectionFunctions } from './functions-collections.ts';
import { dateFunctions } from './functions-dates.ts';
import { encodingFunctions } from './functions-encoding.ts';
import { numberFunctions } from './functions-numbers.ts';
import { textFunctions } from './functions-text.ts';
import { urlFunctions } from './functions-urls.ts';
import { versionFunctions } from './functions-versions.ts';
import type { TemplateFunction } from './template-function.ts';

export const functionTable: ReadonlyMap<string, TemplateFunction> = new Map(
  Object.entries({
    ...basicFunctions,
    ...textFunctions,
    ...numberFunctions,
    ...collectionFunctions,
    ...dateFunctions,
    ...encodingFunctions,
    ...versionFunctions,
    ...urlFunctions,
  }),
);

const keys = 'templates of records make no keys and certificates';
const outside = 'templates see nothing but the record';

/** Name to reason. */
export const refusedFunctions: ReadonlyMap<string, string> = new Map([
  ...['env', 'expandenv'].map((name) => [name, `${outside}; write \${NAME} in the pipeline file`] as const),
  ['getHostByName', outside],
  ['call', 'no value of a record is a function'],
  ...['genPrivateKey', 'derivePassword', 'buildCustomCert', 'genCA', 'genCAWithKey', 'genSelfSignedCert'].map(
    (name) => [name, keys] as const,
  ),
  ...['genSelfSignedCertWithKey', 'genSignedCert', 'genSignedCertWithKey', 'bcrypt', 'htpasswd'].map(
    (name) => [name, keys] as const,
  ),
  ...['encryptAES', 'decryptAES', 'randBytes'].map((name) => [name, keys] as const),
]);
