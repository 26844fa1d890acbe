import assert from 'node:assert/strict';
import {test} from 'node:test';
import {madeFile} from '../../../lit_probe/client/curves/made_file.js';

/** A server that gives these answers one after the other, and counts the questions. */
function serverOf(...answers) {
  const server = {asked: 0, ask: async () => answers[server.asked++]};
  return server;
}

const READY = {status: 'ready', html: '<!DOCTYPE html>', name: 'report.html', checks: []};

test('a report is asked for until it is made', async () => {
  const server = serverOf({status: 'computing', message: 'starting'}, {status: 'computing', message: '50%'}, READY);
  assert.equal(await madeFile(server.ask, 0), READY);
  assert.equal(server.asked, 3);
});

test('a failure is told in the server’s words, and not asked for again', async () => {
  const server = serverOf({status: 'failed', message: 'Too few rows.'}, READY);
  await assert.rejects(() => madeFile(server.ask, 0), /Too few rows\./);
  assert.equal(server.asked, 1);
});

test('one that was given up ends the wait', async () => {
  await assert.rejects(() => madeFile(serverOf({status: 'cancelled'}).ask, 0), /given up/);
});

test('a server that cannot be reached ends the wait', async () => {
  await assert.rejects(() => madeFile(async () => { throw new Error('The server cannot be reached'); }, 0), /cannot be reached/);
});
