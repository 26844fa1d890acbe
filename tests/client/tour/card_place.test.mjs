import assert from 'node:assert/strict';
import {test} from 'node:test';
import {cardPlace, overlap} from '../../../lit_probe/client/tour/card_place.js';

const CARD = {width: 320, height: 200};

const boxOf = ({left, top}) => ({left, top, right: left + CARD.width, bottom: top + CARD.height});

test('a card stands inside the window and covers nothing of a target that leaves room for it', () => {
  for (const frame of [{width: 1440, height: 900}, {width: 1000, height: 700}]) {
    for (let left = 0; left < frame.width - 60; left += 90) {
      for (let top = 0; top < frame.height - 40; top += 70) {
        for (const [width, height] of [[60, 30], [480, 300], [490, 600], [700, 60]]) {
          const target = {left, top, right: Math.min(frame.width, left + width), bottom: Math.min(frame.height, top + height)};
          const card = boxOf(cardPlace(target, CARD, frame));
          assert.ok(card.left >= 0 && card.top >= 0 && card.right <= frame.width && card.bottom <= frame.height);
          const room = Math.max(target.left, frame.width - target.right) >= CARD.width + 20 || Math.max(target.top, frame.height - target.bottom) >= CARD.height + 20;
          if (room) assert.equal(overlap(card, target), null, JSON.stringify([target, card]));
        }
      }
    }
  }
});

test('where there is room on no side it stands in the corner that hides least', () => {
  const place = cardPlace({left: 0, top: 0, right: 900, bottom: 600}, CARD, {width: 1000, height: 700});
  assert.deepEqual(place, {left: 1000 - CARD.width - 8, top: 700 - CARD.height - 8});
});

test('boxes that only touch have nothing in common', () => {
  assert.equal(overlap({left: 0, top: 0, right: 5, bottom: 5}, {left: 5, top: 0, right: 9, bottom: 5}), null);
  assert.deepEqual(overlap({left: 0, top: 0, right: 5, bottom: 5}, {left: 3, top: 1, right: 9, bottom: 9}), {left: 3, top: 1, right: 5, bottom: 5});
});
