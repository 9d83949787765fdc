// Apollo Client reads the list of loans page by page into its cache, as an endlessly scrolling screen does.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ApolloClient, CombinedGraphQLErrors, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { relayStylePagination } from '@apollo/client/utilities';

import { graphqlUrl } from './support.mjs';

const LOANS = gql`
  query Loans($first: Int!, $after: String) {
    loans(first: $first, after: $after) {
      edges {
        cursor
        node {
          id
          number
          status
          principal {
            amount
            currency
          }
          branch {
            id
            code
            name
          }
          borrower {
            id
          }
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
      totalCount
    }
  }
`;

function makeClient() {
  const cache = new InMemoryCache({ typePolicies: { Query: { fields: { loans: relayStylePagination() } } } });
  return new ApolloClient({ cache, link: new HttpLink({ uri: graphqlUrl }) });
}

test('Apollo Client pages through all loans', async (context) => {
  const client = makeClient();
  context.after(() => client.stop());
  const first = 25;

  const { data } = await client.query({ query: LOANS, variables: { first } });
  assert.ok(data.loans.totalCount >= 5, 'the server has the demo data');
  assert.equal(data.loans.edges.length, Math.min(first, data.loans.totalCount));

  const watched = client.watchQuery({ query: LOANS, variables: { first }, fetchPolicy: 'cache-first' });
  const subscription = watched.subscribe(() => {});
  context.after(() => subscription.unsubscribe());
  let { pageInfo } = data.loans;
  for (let pages = 1; pageInfo.hasNextPage; pages += 1) {
    assert.ok(pages * first < data.loans.totalCount, 'hasNextPage is true after the last loan');
    const next = await watched.fetchMore({ variables: { after: pageInfo.endCursor } });
    pageInfo = next.data.loans.pageInfo;
  }

  const { loans } = client.readQuery({ query: LOANS, variables: { first } });
  const ids = loans.edges.map(({ node }) => node.id);
  assert.equal(new Set(ids).size, ids.length, 'no loan comes twice');
  assert.equal(ids.length, loans.totalCount, 'and none is left out');
  assert.equal(loans.pageInfo.hasNextPage, false);
  for (const { node } of loans.edges) {
    assert.match(node.principal.amount, /^\d+(\.\d+)?$/, 'amounts are decimal strings');
    assert.ok(node.branch?.code && node.borrower?.id, `${node.id} has a branch and a borrower`);
  }
});

test('Apollo Client sees a refusal as a GraphQL error with a code', async (context) => {
  const client = makeClient();
  context.after(() => client.stop());

  const failure = await client.query({ query: gql`{ noSuchField }` }).catch((error) => error);

  assert.ok(CombinedGraphQLErrors.is(failure), `not a GraphQL error: ${failure}`);
  assert.equal(typeof failure.errors[0].extensions?.code, 'string');
});
