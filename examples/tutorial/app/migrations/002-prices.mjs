/** Schema 2: every product has a price. Programs that know schema 1 go on working beside it. */
export const commands = [
  ['HSET', 'product:book', 'price', 14],
  ['HSET', 'product:lamp', 'price', 39],
  ['HSET', 'product:tent', 'price', 120],
];
