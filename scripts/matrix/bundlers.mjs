// Run in a process of its own where the bundlers are installed: node bundlers.mjs <bundler> <cjs|esm> <outside|inside> <entry> <out>

import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [bundler, format, place, entry, out] = process.argv.slice(2);
// The tools are not among the dependencies of this checkout.
const require = createRequire(join(process.cwd(), 'bundle.cjs'));
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const outside = place === 'outside';
const external = outside ? ['domino-vss'] : [];
const isEsm = format === 'esm';

const bundlers = {
  async esbuild() {
    const { build } = await load('esbuild');
    await build({
      entryPoints: [entry],
      outfile: out,
      bundle: true,
      platform: 'node',
      format,
      external,
      logLevel: 'error',
    });
  },
  webpack: async () => packed((await load('webpack')).default),
  rspack: async () => packed(require('@rspack/core').rspack),
  async rollup() {
    const { rollup } = await load('rollup');
    const plugins = ['node-resolve', 'commonjs', 'json'].map((name) => {
      const plugin = require(`@rollup/plugin-${name}`);
      return (plugin.default ?? plugin)(name === 'node-resolve' ? { preferBuiltins: true } : {});
    });
    const bundle = await rollup({ input: entry, external: [...external, /^node:/], plugins, onwarn: () => undefined });
    await bundle.write({ file: out, format, inlineDynamicImports: true });
  },
  async vite() {
    const { build } = await import(
      pathToFileURL(join(dirname(require.resolve('vite/package.json')), 'dist/node/index.js')).href
    );
    await build({
      root: dirname(entry),
      configFile: false,
      logLevel: 'error',
      ssr: outside ? { external } : { noExternal: true },
      build: {
        ssr: entry,
        outDir: dirname(out),
        emptyOutDir: false,
        rollupOptions: { output: { format, entryFileNames: basename(out), inlineDynamicImports: true } },
      },
    });
  },
};

function packed(compiler) {
  const library = isEsm ? { type: 'module' } : { type: 'commonjs2' };
  return new Promise((resolve, reject) => {
    compiler(
      {
        mode: 'production',
        target: 'node',
        // One line of all the code would push the message of an error out of what is kept of the output.
        optimization: { minimize: false },
        entry,
        externals: outside ? { 'domino-vss': `${isEsm ? 'module' : 'commonjs'} domino-vss` } : {},
        experiments: isEsm ? { outputModule: true } : {},
        output: { path: dirname(out), filename: basename(out), library, ...(isEsm && { module: true }) },
        node: { __dirname: false, __filename: false },
      },
      (error, stats) => {
        if (error) reject(error);
        else if (stats.hasErrors()) reject(new Error(stats.toString('errors-only')));
        else resolve();
      },
    );
  });
}

await bundlers[bundler]();
