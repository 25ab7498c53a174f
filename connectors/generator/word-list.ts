// Words that made-up texts are composed of, as UTF-8 bytes, so that no string is made for a row.
// The lists are short on purpose: joins and groups over generated data should find partners.

/** Word i is bytes[offsets[i] .. offsets[i + 1]). */
export interface WordList {
  readonly count: number;
  readonly offsets: Int32Array;
  readonly bytes: Uint8Array;
}

export function makeWordList(words: readonly string[]): WordList {
  const encoded = words.map((word) => new TextEncoder().encode(word));
  const offsets = new Int32Array(words.length + 1);
  for (const [i, word] of encoded.entries()) offsets[i + 1] = (offsets[i] ?? 0) + word.length;
  const bytes = new Uint8Array(offsets[words.length] ?? 0);
  for (const [i, word] of encoded.entries()) bytes.set(word, offsets[i]);
  return { count: words.length, offsets, bytes };
}

const split = (text: string): WordList => makeWordList(text.trim().split(/\s*,\s*/));

export const plainWords: WordList = split(`
  river, stone, wheel, mill, water, grain, bridge, garden, window, silver, copper, branch, morning, evening, harbour,
  letter, market, mountain, valley, meadow, orchard, candle, paper, button, ladder, basket, hammer, needle, pocket,
  shadow, winter, summer, autumn, spring, island, forest, desert, ocean, thunder, lantern, village, castle, kitchen,
  blanket, feather, saddle, anchor, compass, mirror, carpet, cellar, chimney, corner, cotton, cradle, dinner, engine,
  fabric, finger, flower, friend, ginger, handle, honey, jacket, kettle, lemon, magnet, marble, napkin, onion, parcel,
  pepper, pillow, planet, rabbit, ribbon, rocket, salmon, school, signal, spider, statue, string, sugar, table, ticket,
  timber, tunnel, turtle, velvet, violin, wagon, walnut, whistle, yellow`);

export const firstNames: WordList = split(`
  Ada, Alan, Amira, Anna, Ben, Carla, Chen, Clara, David, Elif, Emma, Felix, Fatima, Grace, Hana, Hugo, Ida, Ivan, Jonas,
  Kofi, Lena, Leo, Lucia, Maria, Mateo, Mila, Nadia, Noah, Olga, Omar, Paul, Priya, Rosa, Sam, Sofia, Tariq, Uma, Viktor,
  Yuki, Zoe`);

export const lastNames: WordList = split(`
  Adams, Bauer, Brown, Costa, Diaz, Fischer, Garcia, Haas, Hansen, Ito, Jansen, Johnson, Keller, Khan, Kim, Kowalski,
  Larsen, Lee, Lopez, Martin, Meyer, Miller, Moreau, Nguyen, Novak, Okafor, Patel, Perez, Popov, Rossi, Sato, Schmidt,
  Silva, Singh, Smith, Tanaka, Weber, Williams, Wong, Yilmaz`);

export const cities: WordList = split(`
  Aachen, Bergen, Bogota, Cork, Dakar, Delft, Dresden, Fukuoka, Ghent, Graz, Hanoi, Izmir, Jena, Kiel, Lagos, Leeds, Lima,
  Lyon, Malmo, Nairobi, Odense, Oslo, Porto, Quito, Riga, Salem, Tampere, Tunis, Utrecht, Vilnius, Warsaw, York, Zurich`);

export const countries: WordList = split(`
  Argentina, Australia, Austria, Belgium, Brazil, Canada, Chile, China, Colombia, Denmark, Egypt, Estonia, Finland, France,
  Germany, Ghana, Greece, Iceland, India, Ireland, Italy, Japan, Kenya, Mexico, Morocco, Nigeria, Norway, Peru, Poland,
  Portugal, Spain, Sweden, Switzerland, Turkey, Vietnam`);

export const states: WordList = split(`
  Alabama, Alaska, Arizona, California, Colorado, Florida, Georgia, Hawaii, Idaho, Illinois, Iowa, Kansas, Maine, Maryland,
  Michigan, Montana, Nevada, Ohio, Oregon, Texas, Utah, Vermont, Virginia, Washington, Wisconsin, Wyoming`);

export const companySuffixes: WordList = split('Ltd, Inc, GmbH, and Sons, Group, Partners, Works, Trading');
export const streetSuffixes: WordList = split('Street, Road, Lane, Avenue, Square, Way');
export const mailHosts: WordList = split('example.com, example.org, example.net');
export const jobTitles: WordList = split(`
  Analyst, Architect, Baker, Carpenter, Chemist, Designer, Engineer, Gardener, Librarian, Mechanic, Miller, Nurse, Pilot,
  Teacher, Translator`);
export const colors: WordList = split(
  'amber, azure, black, blue, brown, green, grey, orange, pink, purple, red, white, yellow',
);
export const fileExtensions: WordList = split('csv, json, log, md, pdf, png, txt, xml, yaml');
