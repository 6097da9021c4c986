/** What holds of every comment, whatever strangers wrote and however much there is to say. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HEAD_MOST_BYTES, headText } from '../../../controller/comment/head.ts';
import { markerOf } from '../../../controller/comment/marker.ts';
import { renderComment } from '../../../controller/comment/render.ts';
import { headOf } from '../../../controller/comment/verdict.ts';
import { hostileModel } from './arbitrary.ts';
import { outsideOfCode } from './outside-of-code.ts';

const models = hostileModel(1_500);
const budget = fc.oneof(fc.constant(undefined), fc.integer({ min: HEAD_MOST_BYTES, max: 65_000 }));

describe('every comment', () => {
  it('is shorter than a forge takes, and than it was told to be', () => {
    fc.assert(
      fc.property(models, budget, (model, maxBytes) => {
        const text = renderComment(model, maxBytes === undefined ? {} : { maxBytes });

        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(maxBytes ?? 65_535);
      }),
      { numRuns: 60 },
    );
  });

  it('has all of its head, which is no longer than promised', () => {
    fc.assert(
      fc.property(models, (model) => {
        const head = headText(model);

        expect(Buffer.byteLength(head)).toBeLessThanOrEqual(HEAD_MOST_BYTES - 500);
        expect(`${renderComment(model, { maxBytes: HEAD_MOST_BYTES })}\n`.startsWith(`${head}\n`)).toBe(true);
        expect(head.startsWith(`${markerOf(model)}\n`)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('closes each fold and each fence that it opens, and shows nothing of a stranger outside of code', () => {
    fc.assert(
      fc.property(models, budget, (model, maxBytes) => {
        const [, , ...lines] = renderComment(model, maxBytes === undefined ? {} : { maxBytes }).split('\n');
        const { text, folds, open } = outsideOfCode(lines);

        expect(open).toBe(false);
        expect(folds.filter((it) => it === 'open').length).toBe(folds.filter((it) => it === 'close').length);
        expect(folds.every((it, index) => it === (index % 2 === 0 ? 'open' : 'close'))).toBe(true);
        expect(text).not.toMatch(/[@#]|:\/\/|www\.|\bGH-\d|!\[|\]\(|\]\[|<(?!br>)|(?<![\da-z])deadbeef1(?![\da-z])/i);
        // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
        expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e\u200b\p{Cs}]/u);
      }),
      { numRuns: 120 },
    );
  });

  it('is the same when it is written again', () => {
    fc.assert(
      fc.property(hostileModel(50), (model) => {
        expect(renderComment(structuredClone(model))).toBe(renderComment(model));
      }),
      { numRuns: 20 },
    );
  });

  it('has a status of one line of at most 140 characters', () => {
    fc.assert(
      fc.property(hostileModel(20), (model) => {
        const { description, verdict } = headOf(model);

        expect(description.length).toBeLessThanOrEqual(140);
        expect(`${description}${verdict}`).not.toMatch(/\p{Cc}|\p{Cs}/u);
        expect(verdict.length).toBeLessThanOrEqual(120);
      }),
    );
  });
});

describe('the marker', () => {
  it('is another one for each installation and namespace, and cannot be left', () => {
    const name = fc.string({ unit: fc.constantFrom('-', '>', '!', ' ', '%', '2', 'D', 'a', '\n', '<'), maxLength: 6 });
    fc.assert(
      fc.property(name, name, name, name, (installation, namespace, other, another) => {
        const marker = markerOf({ installation, namespace });

        expect(marker).toMatch(/^<!-- [^<>\n]* -->$/);
        expect(marker.slice(4, -3)).not.toContain('--');
        const same = installation === other && namespace === another;
        expect(marker === markerOf({ installation: other, namespace: another })).toBe(same);
      }),
    );
  });
});
