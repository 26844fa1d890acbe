import assert from 'node:assert/strict';
import {test} from 'node:test';
import {whenIdle} from '../../../lit_probe/client/page/when_idle.js';

test('it is called once, as soon as nobody has typed or clicked for a while', (t) => {
  t.mock.timers.enable({apis: ['setTimeout']});
  const page = new EventTarget();
  let calls = 0;
  whenIdle(() => (calls += 1), 2000, page);
  for (const action of ['keydown', 'pointerdown', 'keydown']) {
    t.mock.timers.tick(1999);
    page.dispatchEvent(new Event(action));
  }
  t.mock.timers.tick(1999);
  assert.equal(calls, 0);
  t.mock.timers.tick(1);
  assert.equal(calls, 1);
  page.dispatchEvent(new Event('keydown'));
  t.mock.timers.tick(5000);
  assert.equal(calls, 1);
});

test('once given up it is never called', (t) => {
  t.mock.timers.enable({apis: ['setTimeout']});
  const page = new EventTarget();
  let calls = 0;
  const end = whenIdle(() => (calls += 1), 2000, page);
  end();
  page.dispatchEvent(new Event('keydown'));
  t.mock.timers.tick(5000);
  assert.equal(calls, 0);
});
