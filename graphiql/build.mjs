// Builds GraphiQL into dist/: every file compressed with Brotli, and manifest.json, which says what the server answers
// at which path. Names carry a hash of the contents. With --check it writes nothing and fails when dist/ is not what
// the sources give.

import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';

import { build } from 'esbuild';

const HERE = dirname(fileURLToPath(import.meta.url));
const DIST = join(HERE, 'dist');
const PAGE_PATH = '/graphql';
const ASSETS_PATH = '/graphql/assets/';

/** Three dozen web fonts as data: URLs are two fifths of the page; the system's fonts do (src/page.css). */
const withoutFonts = {
  name: 'without-fonts',
  setup(build) {
    build.onLoad({ filter: /\.css$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replace(/@font-face\s*{[^}]*}/g, ''),
      loader: 'css',
    }));
  },
};

async function bundle() {
  const result = await build({
    absWorkingDir: HERE,
    entryPoints: { graphiql: 'src/main.jsx' },
    outdir: 'out', // never written: the names only tell the script from the style sheet
    write: false,
    metafile: true,
    bundle: true,
    minify: true,
    format: 'esm',
    target: ['es2022'],
    charset: 'utf8',
    jsx: 'automatic',
    legalComments: 'none', // the licenses are a file of their own
    define: { 'process.env.NODE_ENV': '"production"', 'process.env.USE_IMPORT': '"true"' },
    alias: { 'react-style-singleton': './src/scroll-lock.js' },
    plugins: [withoutFonts],
    logLevel: 'warning',
  });
  const text = (extension) => result.outputFiles.find((file) => file.path.endsWith(extension)).text;
  return { script: text('.js'), style: text('.css'), packages: packagesOf(result.metafile) };
}

/** The folders, below node_modules, of the packages that are in the bundle. */
function packagesOf(metafile) {
  const inputs = Object.values(metafile.outputs).flatMap((output) =>
    Object.entries(output.inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0),
  );
  const folders = inputs.map(([path]) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]);
  return [...new Set(folders.filter(Boolean))].sort();
}

/** The licenses of everything bundled, as they ask for: the text goes where the code goes. */
function licenses(packages) {
  return packages
    .map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(join(HERE, folder, 'package.json'), 'utf8'));
      const file = readdirSync(join(HERE, folder)).find((entry) => /^licen[cs]e(\.\w+)?$/i.test(entry));
      const text = file ? readFileSync(join(HERE, folder, file), 'utf8').replaceAll('\r\n', '\n').trim() : '';
      return `${name} ${version} (${license})\n\n${text}`.trim();
    })
    .join(`\n\n${'-'.repeat(80)}\n\n`)
    .concat('\n');
}

function asset(name, extension, contentType, text) {
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 10);
  const file = `${name}-${hash}.${extension}`;
  return { path: ASSETS_PATH + file, file: `${file}.br`, contentType, text };
}

async function assemble() {
  const { script, style, packages } = await bundle();
  const assets = {
    ICON: asset('icon', 'svg', 'image/svg+xml', readFileSync(join(HERE, 'src/icon.svg'), 'utf8')),
    STYLE: asset('graphiql', 'css', 'text/css; charset=utf-8', style),
    SCRIPT: asset('graphiql', 'js', 'text/javascript; charset=utf-8', script),
    LICENSES: asset('licenses', 'txt', 'text/plain; charset=utf-8', licenses(packages)),
  };
  const html = readFileSync(join(HERE, 'src/index.html'), 'utf8').replace(/%(\w+)%/g, (_, name) => assets[name].path);
  const page = { path: PAGE_PATH, file: 'index.html.br', contentType: 'text/html; charset=utf-8', text: html };
  return [page, ...Object.values(assets)];
}

function manifestOf(files) {
  const entries = files.map(({ path, file, contentType }) => ({ path, file, content_type: contentType }));
  return `${JSON.stringify(entries, null, 2)}\n`;
}

function compress(text) {
  return brotliCompressSync(text, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_LGWIN]: 24,
      [constants.BROTLI_PARAM_SIZE_HINT]: Buffer.byteLength(text),
    },
  });
}

function write(files) {
  rmSync(DIST, { recursive: true, force: true });
  mkdirSync(DIST);
  for (const { file, text } of files) {
    const bytes = compress(text);
    writeFileSync(join(DIST, file), bytes);
    console.log(`${file}: ${Buffer.byteLength(text)} bytes, ${bytes.length} compressed`);
  }
  writeFileSync(join(DIST, 'manifest.json'), manifestOf(files));
}

/** What differs between dist/ and the sources. Contents are compared decompressed: Brotli's versions differ in bytes. */
function differences(files) {
  const expected = new Map(files.map(({ file, text }) => [file, text]));
  const found = new Set(readdirSync(DIST));
  const wrong = [];
  for (const [file, text] of expected) {
    if (!found.has(file)) wrong.push(`${file} is missing`);
    else if (brotliDecompressSync(readFileSync(join(DIST, file))).toString('utf8') !== text) wrong.push(`${file} differs`);
  }
  for (const file of found) {
    if (file !== 'manifest.json' && !expected.has(file)) wrong.push(`${file} comes from no source`);
  }
  if (!found.has('manifest.json') || readFileSync(join(DIST, 'manifest.json'), 'utf8') !== manifestOf(files)) {
    wrong.push('manifest.json differs');
  }
  return wrong;
}

const files = await assemble();
if (process.argv.includes('--check')) {
  const wrong = differences(files);
  for (const line of wrong) console.error(`graphiql/dist: ${line}`);
  if (wrong.length > 0) {
    console.error('graphiql/dist is not what its sources give. In graphiql/, run: npm ci && npm run build');
    process.exit(1);
  }
  console.log(`graphiql/dist is up to date: ${files.length} files.`);
} else {
  write(files);
}
