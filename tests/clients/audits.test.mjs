// The server audits of the npm package graphql-http: what the GraphQL over HTTP specification demands, recommends and
// allows. Every one must pass, the optional ones too.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { serverAudits } from 'graphql-http';

import { graphqlUrl } from './support.mjs';

// The number is checked too: a release of the package with more audits must be looked at.
const EXPECTED = 61;

const audits = serverAudits({ url: graphqlUrl, fetchFn: fetch });
let passed = 0;

test('the package still has the audits we know', () => {
  assert.equal(audits.length, EXPECTED);
});

for (const audit of audits) {
  test(`${audit.id} ${audit.name}`, async () => {
    const result = await audit.fn();
    if (result.status !== 'ok') {
      const { status, headers } = result.response;
      const body = await result.response.text().catch(() => '(already read)');
      assert.fail(`${result.reason}\n${status} ${headers.get('content-type')}\n${body}`);
    }
    passed += 1;
  });
}

after(() => console.log(`graphql-http audits: ${passed} of ${audits.length}`));
