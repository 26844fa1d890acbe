import assert from 'node:assert/strict';
import {test} from 'node:test';
import {ShownPage} from '../../../lit_probe/client/page/leaving.js';
import {requestKey, ResultStore} from '../../../lit_probe/client/page/answers.js';

/** A server that gives these answers in turn (the last one for ever) and counts the questions. */
function server(...answers) {
  const load = () => {
    load.calls++;
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  load.calls = 0;
  return load;
}

/** Lets `ms` milliseconds pass on the mocked clock, and every promise settle. */
async function pass(t, ms) {
  t.mock.timers.tick(ms);
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

const READY = {status: 'ready', value: 1};
const COMPUTING = {status: 'computing', message: 'Encoding', fraction: 0.3};
const FAILED = {status: 'failed', message: 'No space left'};

function makeStore(t, settings = {}) {
  t.mock.timers.enable({apis: ['setTimeout']});
  const page = new ShownPage(() => {});
  return new ResultStore({delay: 100, pause: 1000, capacity: 2, page, ...settings});
}

test('an answer is asked for once, whoever wants it, and kept', async (t) => {
  const store = makeStore(t);
  const load = server(READY);
  const [one, two] = [{}, {}];
  store.want(one, 'metrics', 'key', load);
  store.want(two, 'metrics', 'key', load);
  assert.equal(store.read('key').state, 'loading');
  await pass(t, 100);
  assert.deepEqual(store.read('key'), {state: 'ready', answer: READY});
  store.release(one);
  store.release(two);
  store.want({}, 'metrics', 'key', load);
  await pass(t, 5000);
  assert.equal(load.calls, 1);
});

test('a question that is replaced before it is sent is never sent', async (t) => {
  const store = makeStore(t);
  const [first, second] = [server(READY), server(READY)];
  const panel = {};
  store.want(panel, 'metrics', 'first', first);
  await pass(t, 50);
  store.want(panel, 'metrics', 'second', second);
  await pass(t, 1000);
  assert.deepEqual([first.calls, second.calls], [0, 1]);
  assert.equal(store.read('first'), undefined);
});

test('a late answer to a replaced question does not disturb, but is kept', async (t) => {
  const store = makeStore(t);
  let answer;
  const slow = () => new Promise((resolve) => (answer = resolve));
  const panel = {};
  store.want(panel, 'metrics', 'slow', slow);
  await pass(t, 100);
  store.want(panel, 'metrics', 'quick', server(READY));
  await pass(t, 100);
  answer({status: 'ready', value: 'late'});
  await pass(t, 0);
  assert.equal(store.read('quick').answer.value, 1);
  assert.equal(store.read('slow').answer.value, 'late');
});

test('a running computation is looked at every second until it is ready', async (t) => {
  const store = makeStore(t);
  const load = server(COMPUTING, COMPUTING, READY);
  store.want({}, 'metrics', 'key', load);
  await pass(t, 100);
  assert.deepEqual(store.read('key'), {state: 'computing', message: 'Encoding', fraction: 0.3});
  await pass(t, 999);
  assert.equal(load.calls, 1);
  await pass(t, 1);
  assert.equal(load.calls, 2);
  await pass(t, 1000);
  assert.equal(store.read('key').state, 'ready');
  await pass(t, 10_000);
  assert.equal(load.calls, 3);
});

test('nobody looks at a computation that no panel waits for', async (t) => {
  const store = makeStore(t);
  const load = server(COMPUTING);
  const panel = {};
  store.want(panel, 'metrics', 'key', load);
  await pass(t, 100);
  store.release(panel);
  await pass(t, 10_000);
  assert.equal(load.calls, 1);
  assert.equal(store.read('key'), undefined);
});

/** A store on a page of its own, and what the server heard of it. */
function storeOnPage(t) {
  const told = [];
  const page = new ShownPage((message) => told.push(message));
  return {store: makeStore(t, {page, grace: 1000}), page, told};
}

test('every look at a computation says who asks', async (t) => {
  const {store, page} = storeOnPage(t);
  const askers = [];
  store.want({}, 'metrics', 'key', async (asker) => {
    askers.push(asker);
    return COMPUTING;
  });
  await pass(t, 100);
  await pass(t, 1000);
  store.cancel('key', async (asker) => {
    askers.push(asker);
    return {status: 'cancelled'};
  });
  await pass(t, 0);
  assert.deepEqual(askers, Array(3).fill(page.askerOf('key')));
});

test('the server is told when a panel turns to another question, or leaves', async (t) => {
  const {store, page, told} = storeOnPage(t);
  const panel = {};
  store.want(panel, 'metrics', 'first', server(COMPUTING));
  await pass(t, 100);
  store.want(panel, 'metrics', 'second', server(COMPUTING));
  await pass(t, 1000);
  assert.deepEqual(told, [page.askerOf('first')]);
  store.release(panel);
  await pass(t, 1000);
  assert.deepEqual(told, [page.askerOf('first'), page.askerOf('second')]);
});

test('a question is given up after its last look has been answered, not while the look is on its way', async (t) => {
  const {store, page, told} = storeOnPage(t);
  let answer;
  const panel = {};
  store.want(panel, 'metrics', 'key', () => new Promise((resolve) => (answer = resolve)));
  await pass(t, 100);
  store.release(panel);
  await pass(t, 5000);
  assert.deepEqual(told, []);
  answer(COMPUTING);
  await pass(t, 0);
  await pass(t, 1000);
  assert.deepEqual(told, [page.askerOf('key')]);
});

test('a panel that LIT takes away and makes anew gives nothing up', async (t) => {
  const {store, told} = storeOnPage(t);
  const panel = {};
  store.want(panel, 'metrics', 'key', server(COMPUTING));
  await pass(t, 100);
  store.release(panel);
  await pass(t, 500);
  store.want({}, 'metrics', 'key', server(COMPUTING));
  await pass(t, 5000);
  assert.deepEqual(told, []);
});

test('what is ready, failed, cancelled or was never sent need not be given up', async (t) => {
  const {store, told} = storeOnPage(t);
  const panel = {};
  store.want(panel, 'ready', 'ready', server(READY));
  store.want(panel, 'failed', 'failed', server(FAILED));
  store.want(panel, 'cancelled', 'cancelled', server(COMPUTING));
  await pass(t, 100);
  store.cancel('cancelled', server({status: 'cancelled'}));
  await pass(t, 0);
  store.want(panel, 'passing', 'passing', server(COMPUTING));
  store.release(panel);
  await pass(t, 5000);
  assert.deepEqual(told, []);
});

test('a failure, said by the server or by the network, is shown and asked again on request', async (t) => {
  for (const failure of [FAILED, new Error('No space left')]) {
    const store = new ResultStore({delay: 100, pause: 1000});
    t.mock.timers.reset();
    t.mock.timers.enable({apis: ['setTimeout']});
    const load = server(failure, READY);
    store.want({}, 'metrics', 'key', load);
    await pass(t, 100);
    assert.deepEqual(store.read('key'), {state: 'failed', message: 'No space left', ...(failure === FAILED ? {said: true} : {})});
    await pass(t, 10_000);
    assert.equal(load.calls, 1);
    store.retry('key');
    assert.equal(store.read('key').state, 'loading');
    await pass(t, 0);
    assert.equal(store.read('key').state, 'ready');
  }
});

test('a failure says whether asking again may help, and whether nobody who asks may have it tried again', async (t) => {
  for (const [told, known] of [[{can_retry: true}, {said: false}], [{can_retry: false}, {said: true, final: true}], [{}, {said: true}]]) {
    t.mock.timers.reset();
    const store = makeStore(t);
    store.want({}, 'metrics', 'key', server({...FAILED, ...told}));
    await pass(t, 100);
    assert.deepEqual(store.read('key'), {state: 'failed', message: 'No space left', ...known});
  }
});

test('a failure is not remembered once no panel shows it', async (t) => {
  const store = makeStore(t);
  const load = server(FAILED, READY);
  const panel = {};
  store.want(panel, 'metrics', 'key', load);
  await pass(t, 100);
  store.want(panel, 'metrics', null, load);
  store.want(panel, 'metrics', 'key', load);
  await pass(t, 100);
  assert.equal(store.read('key').state, 'ready');
});

test('an answer of an unknown kind is a failure that quotes it', async (t) => {
  const store = makeStore(t);
  store.want({}, 'metrics', 'key', server({stat: 'odd'}));
  await pass(t, 100);
  assert.equal(store.read('key').state, 'failed');
  assert.match(store.read('key').message, /"odd"/);
});

test('answers are forgotten in the order of last use, never those on screen', async (t) => {
  const store = makeStore(t);
  const panel = {};
  const shown = {};
  store.want(shown, 'metrics', 'shown', server(READY));
  for (const key of ['a', 'b', 'a', 'c', 'd']) {
    store.want(panel, 'metrics', key, server(READY));
    await pass(t, 100);
  }
  assert.deepEqual(['shown', 'a', 'b', 'c', 'd'].filter((key) => store.read(key)), ['shown', 'a', 'c', 'd']);
  store.want(panel, 'metrics', 'e', server(READY));
  assert.equal(store.read('a'), undefined);
  assert.equal(store.read('shown').state, 'ready');
});

test('listeners are told of every change, until they leave', async (t) => {
  const store = makeStore(t);
  let told = 0;
  const leave = store.subscribe(() => told++);
  store.want({}, 'metrics', 'key', server(COMPUTING, READY));
  await pass(t, 100);
  assert.equal(told, 1);
  leave();
  await pass(t, 1000);
  assert.equal(told, 1);
  assert.equal(store.read('key').state, 'ready');
});

test('a cancelled computation is not looked at again until it is asked for', async (t) => {
  const store = makeStore(t);
  const [load, send] = [server(COMPUTING, COMPUTING, READY), server({status: 'cancelled'})];
  const panel = {};
  store.want(panel, 'check', 'key', load);
  await pass(t, 100);
  store.cancel('key', send);
  assert.equal(store.read('key').state, 'cancelled');
  await pass(t, 10_000);
  assert.deepEqual([load.calls, send.calls], [1, 1]);
  // LIT re-creates panels: wanting it anew starts nothing either.
  store.release(panel);
  store.want({}, 'check', 'key', load);
  await pass(t, 10_000);
  assert.deepEqual([load.calls, store.read('key').state], [1, 'cancelled']);
  store.retry('key');
  assert.equal(store.read('key').state, 'loading');
  await pass(t, 0);
  assert.equal(store.read('key').state, 'computing');
  await pass(t, 1000);
  assert.equal(store.read('key').state, 'ready');
});

test('the server is told of a cancellation only after it has answered the last look, which would start it again', async (t) => {
  const store = makeStore(t);
  let answer;
  const load = () => new Promise((resolve) => (answer = resolve));
  const send = server({status: 'cancelled'});
  store.want({}, 'check', 'key', load);
  await pass(t, 100);
  store.cancel('key', send);
  await pass(t, 0);
  assert.equal(send.calls, 0);
  answer(COMPUTING);
  await pass(t, 0);
  assert.deepEqual([send.calls, store.read('key').state], [1, 'cancelled']);
});

test('what was ready before it could be cancelled is shown', async (t) => {
  const store = makeStore(t);
  store.want({}, 'check', 'key', server(COMPUTING));
  await pass(t, 100);
  store.cancel('key', server(READY));
  await pass(t, 0);
  assert.equal(store.read('key').state, 'ready');
});

test('a cancellation that does not reach the server is said', async (t) => {
  const store = makeStore(t);
  store.want({}, 'check', 'key', server(COMPUTING));
  await pass(t, 100);
  store.cancel('key', server(new Error('No connection')));
  await pass(t, 0);
  assert.deepEqual(store.read('key'), {state: 'failed', message: 'No connection'});
});

const WORDS = ['layer_metrics', 'enc-on-demo', 'demo', 'accuracy'];

test('equal questions have equal keys', () => {
  assert.equal(requestKey(WORDS, ['a', 'b']), requestKey([...WORDS], ['a', 'b']));
});

test('another word, id, order or border between ids is another question', () => {
  const keys = [
    requestKey(WORDS, ['ab', 'c']), requestKey(WORDS, ['a', 'bc']), requestKey(WORDS, ['c', 'ab']), requestKey(WORDS, ['abc']), requestKey(WORDS, []),
    requestKey(['layer_predictions', ...WORDS.slice(1)], ['ab', 'c']), requestKey([...WORDS.slice(0, 3), 'auroc'], ['ab', 'c']),
  ];
  assert.equal(new Set(keys).size, keys.length);
});

test('a thousand selections of a large data set have a thousand short keys', () => {
  const ids = Array.from({length: 2000}, (_, i) => i.toString(16).padStart(32, '0'));
  const keys = Array.from({length: 1000}, (_, i) => requestKey(WORDS, ids.toSpliced(i, 1)));
  assert.equal(new Set(keys).size, 1000);
  assert.ok(keys.every((key) => key.length < 100));
});

test('what is computed for a question can be given up by the number that the server knows', async (t) => {
  const told = [];
  const page = new ShownPage((message) => told.push(message));
  const store = makeStore(t, {page});
  const load = server(COMPUTING);
  store.want({}, 'check', 'key', load);
  await pass(t, 100);
  assert.equal(store.read('key').state, 'computing');
  const {question} = page.askerOf('key');
  store.cancelNumber(question);
  await pass(t, 0);
  assert.equal(store.read('key').state, 'cancelled');
  await pass(t, 5000);
  assert.equal(load.calls, 1);
  // One that the page has forgotten is told to the server all the same.
  store.cancelNumber(7);
  await pass(t, 0);
  assert.deepEqual(told.map((message) => message.question), [question, 7]);
});

test('a server that is busy is asked again', async (t) => {
  const store = makeStore(t);
  const load = server({status: 'busy', message: 'The server is busy.', place: 3}, READY);
  store.want({}, 'check', 'key', load);
  await pass(t, 100);
  assert.deepEqual(store.read('key'), {state: 'computing', message: 'The server is busy.', fraction: null});
  await pass(t, 1000);
  assert.equal(store.read('key').state, 'ready');
});
