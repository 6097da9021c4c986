/** Schema 1: what the shop sells, and how many of each there are. */
export const commands = [
  ['SADD', 'products', 'book', 'lamp', 'tent'],
  ['HSETNX', 'product:book', 'stock', 12],
  ['HSETNX', 'product:lamp', 'stock', 5],
  ['HSETNX', 'product:tent', 'stock', 3],
];
