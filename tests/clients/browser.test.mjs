// The GraphiQL page in headless Chromium: it loads from this server alone, breaks no rule of its Content-Security-Policy,
// and its examples run.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { chromium } from 'playwright-core';

import { apiUrl, graphqlUrl } from './support.mjs';

const EXECUTABLE = process.env.CHROMIUM ?? '/usr/bin/chromium';
const SCREENSHOT = process.env.SCREENSHOT ?? join(tmpdir(), 'branch-loan-api-graphiql.png');

// As root and in a container; no request of the browser's own may blur which requests the page makes.
const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** What a machine at work may take at most; nothing is judged by its speed. */
const PATIENCE = 30_000;

let profile;
let browser;
let page;
let policy;
const complaints = [];

before(async () => {
  profile = await mkdtemp(join(tmpdir(), 'graphiql-profile-'));
  browser = await chromium.launchPersistentContext(profile, {
    executablePath: EXECUTABLE,
    headless: true,
    args: ARGUMENTS,
    viewport: { width: 1440, height: 900 },
    colorScheme: 'light',
    ignoreHTTPSErrors: apiUrl.protocol === 'https:',
  });
  browser.setDefaultTimeout(PATIENCE);
  page = await browser.newPage();

  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`uncaught: ${error}`));
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol !== 'data:' && url.host !== apiUrl.host) complaints.push(`request to another host: ${url}`);
  });
  page.on('requestfailed', (request) => complaints.push(`failed: ${request.url()} ${request.failure()?.errorText}`));
  await page.exposeFunction('complain', (text) => complaints.push(text));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) =>
      window.complain(`policy: ${event.effectiveDirective} blocked ${event.blockedURI} ${event.sourceFile}`),
    );
  });

  const response = await page.goto(graphqlUrl);
  assert.equal(response.status(), 200);
  policy = (await response.allHeaders())['content-security-policy'];
  // The schema has come when the query can be run against it; then nothing changes under the clicks that follow.
  await page
    .locator('.graphiql-query-editor .CodeMirror')
    .waitFor()
    .catch((error) => {
      throw new Error(`GraphiQL did not come up: ${complaints.join('; ')}`, { cause: error });
    });
  await page.waitForLoadState('networkidle');
});

after(async () => {
  await browser?.close();
  if (profile) await rm(profile, { recursive: true, force: true });
});

/** GraphiQL's editors keep off-screen lines out of the document; their own value has them all. */
function editorValue(kind) {
  return page.evaluate(
    (selector) => document.querySelector(selector).CodeMirror.getValue(),
    `.graphiql-${kind} .CodeMirror`,
  );
}

async function run() {
  // An answer that is still shown from before must not be taken for the new one.
  await page.evaluate(() => document.querySelector('.graphiql-response .CodeMirror').CodeMirror.setValue(''));
  await page.getByRole('button', { name: /^Execute query/ }).click();
  await page.waitForFunction(() => {
    const shown = document.querySelector('.graphiql-response .CodeMirror').CodeMirror.getValue();
    return shown !== '' && !document.querySelector('.graphiql-spinner');
  });
  return JSON.parse(await editorValue('response'));
}

async function openTab(name) {
  await page.locator('.graphiql-tab-button').getByText(name, { exact: true }).click();
  // The editor reads the new document a moment later; until then it would send the old operation's name.
  await page.waitForFunction(
    (operation) =>
      document.querySelector('.graphiql-query-editor .CodeMirror').CodeMirror.operationName === operation,
    name,
  );
}

async function setVariables(value) {
  await page.evaluate((text) => {
    document.querySelector('.graphiql-editor-tool .graphiql-editor:not(.hidden) .CodeMirror').CodeMirror.setValue(text);
  }, JSON.stringify(value));
}

test('the page says whose it is and has a strict policy', async () => {
  assert.equal(await page.title(), 'branch-loan-api · GraphiQL');
  assert.ok(policy, 'the page has a Content-Security-Policy');
  const directives = new Map(policy.split(';').map((part) => [part.trim().split(/\s+/)[0], part.trim()]));
  assert.equal(directives.get('default-src'), "default-src 'none'");
  assert.equal(directives.get('script-src'), "script-src 'self'");
  assert.equal(directives.get('style-src'), "style-src 'self'");
  assert.equal(directives.get('frame-ancestors'), "frame-ancestors 'none'");
});

test('the first example runs and shows its answer', async () => {
  const { data, errors } = await run();
  assert.equal(errors, undefined);
  assert.ok(data.loans.nodes.length >= 5, 'the server has the demo data');
  assert.ok(data.loans.nodes.every((loan) => loan.branch && loan.borrower));
  await page.screenshot({ path: SCREENSHOT });
  console.log(`GraphiQL: screenshot in ${SCREENSHOT}`);
});

test('the other examples fit the schema', async () => {
  for (const name of ['Portfolio', 'BranchByCode']) {
    await openTab(name);
    const { data, errors } = await run();
    assert.equal(errors, undefined, `${name}: ${JSON.stringify(errors)}`);
    assert.ok(Object.values(data).every((value) => value !== null), `${name} finds something in the demo data`);
  }
});

test('an application for a loan goes through with what the example before it found', async () => {
  await openTab('WhoCanBorrow');
  const { data: choices } = await run();
  const product = choices.loanProducts.nodes.find(({ currency }) =>
    choices.borrowers.nodes.some(({ branch }) => branch.currency === currency),
  );
  const borrower = choices.borrowers.nodes.find(({ branch }) => branch.currency === product.currency);

  await openTab('ApplyForLoan');
  const input = {
    idempotencyKey: randomUUID(),
    borrowerId: borrower.id,
    productId: product.id,
    principal: { amount: '100', currency: product.currency },
  };
  await setVariables({ input });
  const once = (await run()).data.applyForLoan;
  assert.deepEqual(once.userErrors, []);
  assert.equal(once.loan.status, 'PENDING');
  assert.equal(once.replayed, false);
  const twice = (await run()).data.applyForLoan;
  assert.equal(twice.loan.id, once.loan.id);
  assert.equal(twice.replayed, true);
});

test('a token in the headers pane reaches the server', async () => {
  await openTab('FirstLoans');
  await page.getByRole('button', { name: 'Headers', exact: true }).click();
  await setVariables({ Authorization: 'Bearer nobody.issued.this' });
  const sent = page.waitForRequest((request) => request.method() === 'POST');
  const { errors } = await run();
  assert.equal((await sent).headers().authorization, 'Bearer nobody.issued.this');
  assert.ok(errors.length > 0, 'and is refused');
  // The browser itself logs the 401 as an error; that one is meant.
  const meant = complaints.findIndex((text) => /401/.test(text));
  if (meant >= 0) complaints.splice(meant, 1);
  await setVariables({});
});

test('the documentation pane shows the schema', async () => {
  await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
  const docs = page.locator('.graphiql-doc-explorer');
  await docs.getByText('Query', { exact: true }).first().click();
  await docs.getByText('loans', { exact: true }).first().click();
  await docs.getByText('LoanConnection!', { exact: false }).first().waitFor();
});

test('the settings open, which is where a dialog locks the scrolling', async () => {
  await page.getByRole('button', { name: 'Open settings dialog' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.waitFor();
  await page.waitForFunction(() => document.adoptedStyleSheets.length > 0);
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).overflow), 'hidden');
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
});

test('the page follows the system to dark', async () => {
  const background = () =>
    page.evaluate(() => getComputedStyle(document.querySelector('.graphiql-container')).backgroundColor);
  const light = await background();
  await page.emulateMedia({ colorScheme: 'dark' });
  assert.notEqual(await background(), light);
  await page.emulateMedia({ colorScheme: 'light' });
});

test('the tabs are still there after a reload', async () => {
  await page.reload();
  await page.locator('.graphiql-tab-button').first().waitFor();
  const names = await page.locator('.graphiql-tab-button').allTextContents();
  assert.deepEqual(names, ['FirstLoans', 'Portfolio', 'BranchByCode', 'WhoCanBorrow', 'ApplyForLoan']);
});

test('a client that does not speak Brotli gets the page too', async () => {
  const response = await fetch(graphqlUrl, { headers: { accept: 'text/html', 'accept-encoding': 'identity' } });
  assert.equal(response.headers.get('content-encoding'), null);
  assert.match(await response.text(), /<title>branch-loan-api · GraphiQL<\/title>/);
});

// Last: it judges everything above.
test('nothing on the way was blocked, failed, or went to another host', () => {
  assert.deepEqual(complaints, []);
});
