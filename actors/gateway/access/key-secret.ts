// The text of an API key, and what is kept of it.
//
//   apikey:  22 characters  43 characters          base64url
//            the key's id   256 random bits
//
// The id finds the record; the whole text is compared by its salted SHA-256 in constant time. The secret is random and as long
// as the hash, so a slow hash would protect nothing more and would cost every request.
import { hash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';

const prefix = 'apikey:';
const idLength = 22;
const pattern = /^apikey:[A-Za-z0-9_-]{65}$/;

export interface NewSecret {
  readonly id: string;
  /** Shown once. */
  readonly text: string;
  readonly salt: string;
  readonly hash: string;
}

export function makeSecret(): NewSecret {
  const id = randomUUID();
  const idText = Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url');
  const text = `${prefix}${idText}${randomBytes(32).toString('base64url')}`;
  const salt = randomBytes(16).toString('hex');
  return { id, text, salt, hash: saltedHash(text, salt) };
}

/** null: it does not look like a key. */
export function idOfSecret(text: string): string | null {
  if (!pattern.test(text)) return null;
  const hex = Buffer.from(text.slice(prefix.length, prefix.length + idLength), 'base64url').toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** How long it takes does not depend on where they differ. */
export function isSecret(text: string, salt: string, expected: string): boolean {
  return timingSafeEqual(Buffer.from(saltedHash(text, salt), 'hex'), Buffer.from(expected, 'hex'));
}

export function saltedHash(text: string, salt: string): string {
  return hash('sha256', `${salt}:${text}`, 'hex');
}
