import assert from 'node:assert/strict';
import {test} from 'node:test';
import {WaitingRoom, whenIdle} from '../../../lit_probe/client/page/waiting.js';

const wanted = () => true;

/** Returns once it is so. */
async function until(isSo) {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** Something that becomes ready when the test says so. */
function thing() {
  const state = {ready: false, looks: 0};
  return {state, isReady: async () => (state.looks++, state.ready)};
}

/** Requests that note when they are sent, and are answered when the test says so. */
function requests() {
  const sent = [];
  const answers = {};
  const request = (name) => () => {
    sent.push(name);
    return new Promise((resolve, reject) => (answers[name] = {resolve: () => resolve(name), reject: () => reject(new Error(name))}));
  };
  return {sent, answers, request};
}

test('what is ready is asked for at once, after one look', async () => {
  const room = new WaitingRoom({pause: 1});
  const {state, isReady} = thing();
  state.ready = true;
  for (const name of ['first', 'second']) assert.equal(await room.pass('a', isReady, wanted, async () => name), name);
  assert.equal(state.looks, 1);
});

test('nothing is sent before it is ready, and then in the order of asking, one at a time', async () => {
  const room = new WaitingRoom({pause: 1});
  const {state, isReady} = thing();
  const {sent, answers, request} = requests();
  const both = ['one', 'two'].map((name) => room.pass('a', isReady, wanted, request(name)));
  await until(() => state.looks > 3);
  assert.deepEqual(sent, []);
  state.ready = true;
  await until(() => sent.length > 0);
  assert.deepEqual(sent, ['one']);
  // One that comes now is newer than those that still wait.
  both.push(room.pass('a', isReady, wanted, request('three')));
  for (const name of ['one', 'two', 'three']) {
    await until(() => answers[name]);
    assert.equal(sent.at(-1), name);
    answers[name].resolve();
  }
  assert.deepEqual(await Promise.all(both), ['one', 'two', 'three']);
});

test('once nobody waits any more, requests do not wait for one another', async () => {
  const room = new WaitingRoom({pause: 1});
  const {state, isReady} = thing();
  state.ready = true;
  await room.pass('a', isReady, wanted, async () => 'first');
  const {sent, answers, request} = requests();
  await new Promise((resolve) => setTimeout(resolve, 0));
  const both = ['slow', 'quick'].map((name) => room.pass('a', isReady, wanted, request(name)));
  assert.deepEqual(sent, ['slow', 'quick']);
  answers.quick.resolve();
  assert.equal(await both[1], 'quick');
  answers.slow.resolve();
  assert.equal(await both[0], 'slow');
});

test('a request that fails tells its own sender and holds nobody up', async () => {
  const room = new WaitingRoom({pause: 1});
  const {state, isReady} = thing();
  const failing = room.pass('a', isReady, wanted, () => Promise.reject(new Error('refused')));
  const next = room.pass('a', isReady, wanted, async () => 'next');
  state.ready = true;
  await assert.rejects(failing, /refused/);
  assert.equal(await next, 'next');
});

test('what is not wanted any more is never sent, and can be asked for again', async () => {
  const room = new WaitingRoom({pause: 1});
  const {state, isReady} = thing();
  const {sent, request} = requests();
  const gone = ['one', 'two'].map((name) => room.pass('a', isReady, () => false, request(name)));
  await Promise.all(gone.map((one) => assert.rejects(one, /was not sent/)));
  state.ready = true;
  assert.equal(await room.pass('a', isReady, wanted, async () => 'again'), 'again');
  assert.deepEqual(sent, []);
});

test('what waits for one thing does not wait for another', async () => {
  const room = new WaitingRoom({pause: 1});
  const [one, other] = [thing(), thing()];
  other.state.ready = true;
  const waiting = room.pass('one', one.isReady, wanted, async () => 'waiting');
  assert.equal(await room.pass('other', other.isReady, wanted, async () => 'other'), 'other');
  one.state.ready = true;
  assert.equal(await waiting, 'waiting');
});

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
