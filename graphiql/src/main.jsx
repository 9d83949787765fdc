// The page: GraphiQL with this API's fetcher and examples. It knows nothing else about the API; the schema comes by
// introspection.

import { GraphiQL } from 'graphiql';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { examples } from './examples.js';
import { createFetcher } from './fetcher.js';

import 'graphiql/style.css';
import './page.css';

const fetcher = createFetcher(new URL('/graphql', window.location.href));

createRoot(document.getElementById('graphiql')).render(
  <StrictMode>
    <GraphiQL
      fetcher={fetcher}
      defaultTabs={examples}
      defaultEditorToolsVisibility="variables"
      inputValueDeprecation
      schemaDescription
      // A token is a secret: it stays in the tab's memory unless the user asks for it to be kept.
      shouldPersistHeaders={false}
      showPersistHeadersSettings
    >
      <GraphiQL.Logo>branch-loan-api · GraphiQL</GraphiQL.Logo>
    </GraphiQL>
  </StrictMode>,
);
