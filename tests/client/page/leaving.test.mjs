import assert from 'node:assert/strict';
import {test} from 'node:test';
import {ShownPage} from '../../../lit_probe/client/page/leaving.js';

/** A page, its window, and what it has told the server. */
function openPage() {
  const [told, window] = [[], new EventTarget()];
  const page = new ShownPage((message) => told.push(message));
  page.tellWhenLeft(window);
  return {page, told, window};
}

/** What a browser says when it shows a page, anew or as it was left. */
function shown(persisted) {
  return Object.assign(new Event('pageshow'), {persisted});
}

test('a page asks under one name, and equal questions under one number', () => {
  const {page} = openPage();
  const [one, again, other] = [page.askerOf('a question'), page.askerOf('a question'), page.askerOf('another')];
  assert.match(one.page, /^[0-9a-f]{32}$/);
  assert.deepEqual(one, again);
  assert.equal(other.page, one.page);
  assert.notEqual(other.question, one.question);
  assert.ok(Number.isSafeInteger(one.question));
});

test('no two pages have one name', () => {
  assert.notEqual(openPage().page.askerOf('q').page, openPage().page.askerOf('q').page);
});

test('the server hears when the page is left, and when a question is given up', () => {
  const {page, told, window} = openPage();
  const asker = page.askerOf('a question');
  page.giveUp('a question');
  window.dispatchEvent(new Event('pagehide'));
  assert.deepEqual(told, [asker, {page: asker.page}]);
});

test('a page that the browser brings back has another name, and one that is shown for the first time keeps its own', () => {
  const {page, told, window} = openPage();
  const first = page.askerOf('q').page;
  window.dispatchEvent(shown(false));
  assert.equal(page.askerOf('q').page, first);
  window.dispatchEvent(new Event('pagehide'));
  window.dispatchEvent(shown(true));
  const second = page.askerOf('q').page;
  assert.notEqual(second, first);
  window.dispatchEvent(new Event('pagehide'));
  assert.deepEqual(told, [{page: first}, {page: second}]);
});
