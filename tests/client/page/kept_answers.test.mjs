import assert from 'node:assert/strict';
import {test} from 'node:test';
import {askKept} from '../../../lit_probe/client/page/kept_answers.js';

/** What is fetched while LIT asks by a call of `fetch`, where the kept answer has this status. */
async function asked(status, inputs, config) {
  const {fetch} = globalThis;
  const addresses = [];
  globalThis.fetch = async (address) => {
    addresses.push(address);
    return {ok: status < 400, status, address};
  };
  try {
    const answer = await askKept('/get_preds', {model: 'm'}, inputs, config, () => globalThis.fetch('./get_preds'));
    return {addresses, answer: answer.address};
  } finally {
    globalThis.fetch = fetch;
  }
}

test('all rows are named by the checksum of their ids, so that answers about others are not taken for theirs', async () => {
  const address = './lit_probe/kept/get_preds?model=m';
  assert.deepEqual((await asked(200, [{id: 'a'}, {id: 'b'}])).addresses, [`${address}&rows=31457520`]);
  assert.notDeepEqual((await asked(200, [{id: 'b'}, {id: 'a'}])).addresses, [`${address}&rows=31457520`]);
  assert.deepEqual((await asked(200, [], {a: 1})).addresses, [`${address}&config=%7B%22a%22%3A1%7D`]);
});

test('what is refused by this address is asked as LIT does, and what makes no sense or breaks is asked once', async () => {
  for (const status of [404, 413, 431, 503]) assert.equal((await asked(status, [])).answer, './get_preds');
  for (const status of [400, 500]) assert.equal((await asked(status, [])).addresses.length, 1);
});
