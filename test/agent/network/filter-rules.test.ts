/** The packet filter as text. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { renderFilter, renderRemoval } from '../../../agent/network/filter-rules.ts';
import { overlayNetwork } from '../../../agent/network/network.ts';

const network = overlayNetwork({ id: '0123abcd', bridge: 'slip0', subnetIndex: 7 });
const members = [
  { address: '10.210.7.12', namespace: 'production' },
  { address: '10.210.7.3', namespace: 'pr-42' },
  { address: '10.210.7.2', namespace: 'production' },
];

it('renders both tables', () => {
  expect(renderFilter('0123abcd', network, members)).toMatchSnapshot();
});

it('renders a filter that parts everybody when there are no members', () => {
  expect(renderFilter('0123abcd', network, [])).toMatchSnapshot();
});

it('renders the same bytes for any order of the members', () => {
  const text = renderFilter('0123abcd', network, members);
  fc.assert(
    fc.property(fc.shuffledSubarray(members, { minLength: members.length }), (shuffled) => {
      expect(renderFilter('0123abcd', network, shuffled)).toBe(text);
    }),
  );
});

it('lets nothing but addresses of the bridge and valid namespaces into the script', () => {
  const hostile = [
    { address: '127.0.0.1', namespace: 'production' },
    { address: '10.210.7.1', namespace: 'production' },
    { address: '10.210.8.2', namespace: 'production' },
    { address: '10.210.7.2 }\nflush ruleset', namespace: 'production' },
    { address: '10.210.7.2', namespace: 'x; flush ruleset' },
  ];
  expect(renderFilter('0123abcd', network, hostile)).toBe(renderFilter('0123abcd', network, []));
});

it('lets an address that two namespaces claim into neither', () => {
  const twice = [...members, { address: '10.210.7.3', namespace: 'production' }];
  const text = renderFilter('0123abcd', network, twice);
  expect(text).not.toContain('10.210.7.3 ');
  expect(text).toContain('10.210.7.2 : jump ns_production');
});

it('removes tables in a way that also works when they are missing', () => {
  expect(renderRemoval('0123abcd')).toBe(
    'table bridge slipway_0123abcd\ndelete table bridge slipway_0123abcd\n' +
      'table ip slipway_0123abcd\ndelete table ip slipway_0123abcd\n',
  );
});
