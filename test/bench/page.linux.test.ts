import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';
import { benchPage } from '#lib/bench/page';
import { unreadableTexts, watchTexts } from './readable-texts';
import { sampleBench, unkindPaths } from './sample-bench';

// The page of `bench --html` in a browser, as seen by someone who measures a large server.

const programs = ['chromium-headless-shell', 'chromium', 'chromium-browser'];
const program = programs.find((name) => spawnSync(name, ['--version']).error === undefined);
const databases = 20_000;
const widths = [360, 800, 1600];

let directory: string;
let browser: Browser;

async function write(name: string, sample: Parameters<typeof sampleBench>[0]): Promise<void> {
  writeFileSync(join(directory, `${name}.html`), benchPage(await sampleBench(sample)));
}

(program === undefined ? describe.skip : describe)('the page of 20 000 databases in a browser', () => {
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'bench-page-'));
    await write('many', { databases, runs: 3, compared: true });
    await write('few', { databases: 9, runs: 120 });
    // The browser's sandbox refuses root, and only our own page is shown.
    browser = await chromium.launch({
      executablePath: spawnSync('which', [program!], { encoding: 'utf8' }).stdout.trim(),
      args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
    });
  }, 60_000);

  afterAll(async () => {
    await browser.close();
    rmSync(directory, { recursive: true });
  });

  /** Opens a page, calls `look`, and checks that nothing failed and nothing was loaded. */
  async function open(
    name: string,
    { width = 800, colorScheme = 'light' as 'light' | 'dark', javaScriptEnabled = true },
    look: (page: Page) => Promise<void>,
  ): Promise<void> {
    const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme, javaScriptEnabled });
    const page = await context.newPage();
    await watchTexts(page);
    const problems: string[] = [];
    const loaded: string[] = [];
    page.on('console', (message) => problems.push(message.text()));
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('dialog', (dialog) => problems.push(dialog.message()));
    page.on('request', (request) => loaded.push(request.url()));
    const address = pathToFileURL(join(directory, `${name}.html`)).href;
    await page.goto(address);
    await look(page);
    expect({ problems, loaded }).toEqual({ problems: [], loaded: [address] });
    await context.close();
  }

  /** What the pixels of the timeline show: how many of them have the colour of the background. */
  function paintedShare(page: Page): Promise<number> {
    return page.locator('#timeline').evaluate((element) => {
      const canvas = element as unknown as { width: number; height: number; getContext: (kind: '2d') => Pixels };
      interface Pixels {
        getImageData: (x: number, y: number, width: number, height: number) => { data: Uint8ClampedArray };
      }
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      let painted = 0;
      for (let at = 3; at < data.length; at += 4) painted += data[at]! > 0 ? 1 : 0;
      return painted / (data.length / 4);
    });
  }

  /** Elements that extend beyond the right edge, or whose text is cut off. */
  function cut(page: Page): Promise<string[]> {
    return page.evaluate(`
      [...document.querySelectorAll('body *')]
        .filter((element) => element.getClientRects().length > 0 && !element.closest('.table[tabindex]'))
        .filter((element) => {
          const box = element.getBoundingClientRect();
          const clips = getComputedStyle(element).overflowX !== 'visible' && element.scrollWidth > element.clientWidth;
          return box.right > innerWidth + 0.5 || box.left < -0.5 || (clips && element.tagName !== 'svg');
        })
        .map((element) => element.outerHTML.slice(0, 80))
    `);
  }

  test.each(widths.flatMap((width) => (['light', 'dark'] as const).map((colorScheme) => ({ width, colorScheme }))))(
    'fits and is drawn at $width pixels, $colorScheme',
    async (look) => {
      for (const name of ['many', 'few']) {
        await open(name, look, async (page) => {
          expect(await page.evaluate('[document.documentElement.scrollWidth, innerWidth]')).toEqual([
            look.width,
            look.width,
          ]);
          for (const summary of await page.locator('summary').all()) await summary.click();
          expect(await cut(page)).toEqual([]);
          expect(await unreadableTexts(page)).toEqual([]);
          expect(await paintedShare(page)).toBeGreaterThan(0.2);
          const ground = await page.evaluate('getComputedStyle(document.body).backgroundColor');
          expect(ground).toBe(look.colorScheme === 'light' ? 'rgb(255, 255, 255)' : 'rgb(20, 24, 31)');
        });
      }
    },
    60_000,
  );

  test('shows names as they are, and obeys none of them', async () => {
    await open('few', {}, async (page) => {
      const names = await page.locator('#list tbody th').allTextContents();
      expect(names).toEqual(
        expect.arrayContaining([
          unkindPaths[0],
          'mail/line\\nbreak.nsf',
          'mail/\\x1b[31mred\\x1b]0;title\\x07.nsf',
          'mail/\\u202efsn.nsf',
          unkindPaths[4],
          unkindPaths[5],
        ]),
      );
      expect(await page.locator('img').count()).toBe(0);
      expect(await page.title()).toBe('Freeze window of CN=Dublin/O=Acme <&>, 2026-11-27');
      await page.locator('#timeline').focus();
      await page.keyboard.press('Home');
      await page.locator('#find').fill('</SCRIPT>');
      expect(await page.locator('#list tbody th').allTextContents()).toEqual([unkindPaths[0]]);
    });
  });

  test('says percentiles only of enough runs, and marks the ideal of each run', async () => {
    const head = (page: Page) =>
      page.locator('table', { hasText: 'freeze window' }).last().locator('thead th').allTextContents();
    await open('many', {}, async (page) => {
      expect(await head(page)).toEqual(['figure', 'least', 'median', 'most']);
      expect(await page.locator('svg.chart circle.dot').count()).toBe(3);
      expect(await page.locator('svg line.ideal').count()).toBe(3);
    });
    await open('few', {}, async (page) => {
      expect(await head(page)).toEqual(['figure', 'least', 'median', '95 % below', '99 % below', 'most']);
    });
  });

  test('draws the windows of each way on one axis', async () => {
    await open('many', {}, async (page) => {
      const bars = page.getByRole('region', { name: 'The same backup in other ways' }).locator('svg.track');
      expect(await bars.count()).toBe(2);
      const [ours = 0, theirs = 0] = await Promise.all(
        (await bars.locator('rect.mode').all()).map(async (bar) => (await bar.boundingBox())?.width ?? 0),
      );
      expect(theirs / ours).toBeCloseTo(8.6, 1);
      expect(await bars.locator('circle.dot').count()).toBe(6);
    });
    await open('few', {}, async (page) => {
      expect(await page.getByRole('region', { name: 'The same backup in other ways' }).count()).toBe(0);
    });
  });

  test('is used with the keyboard alone', async () => {
    await open('many', {}, async (page) => {
      const reached: string[] = [];
      for (let presses = 0; presses < 20; ++presses) {
        await page.keyboard.press('Tab');
        const name = await page.evaluate<string>(
          'document.activeElement.id || document.activeElement.dataset.do || document.activeElement.tagName',
        );
        if (reached.includes(name)) break;
        // The focused element is visibly focused.
        if (name !== 'BODY') {
          expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).toBe('solid');
          reached.push(name);
        }
      }
      expect(reached).toEqual([
        'SUMMARY',
        'order',
        'time-in',
        'time-out',
        'rows-in',
        'rows-out',
        'all',
        'timeline',
        'find',
        'slowest',
      ]);
      const chosen = page.getByRole('status').first();
      await page.locator('#timeline').focus();
      await page.keyboard.press('End');
      await expectText(chosen, `row ${(databases - 1).toLocaleString('en')} of`);
      await page.keyboard.press('ArrowUp');
      await expectText(chosen, `row ${(databases - 2).toLocaleString('en')} of`);
      const before = await picture(page);
      await page.keyboard.press('+');
      expect(await picture(page)).not.toBe(before);
      await page.keyboard.press('0');
      expect(await picture(page)).toBe(before);
    });
  }, 60_000);

  async function expectText(where: { textContent: () => Promise<string | null> }, text: string): Promise<void> {
    expect(await where.textContent()).toContain(text);
  }

  /** The timeline after it has been drawn again. */
  function picture(page: Page): Promise<string> {
    return page.evaluate(`new Promise((resolve) => {
      requestAnimationFrame(() => requestAnimationFrame(() => resolve(document.getElementById('timeline').toDataURL())));
    })`);
  }

  test('says to a screen reader what the pictures show', async () => {
    await open('many', {}, async (page) => {
      for (const picture of await page.locator('svg:not([aria-hidden]), canvas').all()) {
        expect([await picture.getAttribute('role'), await picture.getAttribute('aria-label')]).toEqual([
          'img',
          expect.stringMatching(/table below|next section/),
        ]);
      }
      for (const title of ['The runs', 'Every database', 'Slowest databases', 'Single calls', 'All figures']) {
        expect(await page.getByRole('region', { name: title, exact: true }).count()).toBe(1);
      }
      const first = page.getByRole('table', { name: 'Durations of single calls' }).getByRole('row').nth(1);
      expect(await first.getByRole('rowheader').textContent()).toBe('shortest');
      expect(await first.getByRole('cell').count()).toBe(2);
      await page.getByLabel('Find').fill('user01999');
      await expectText(page.locator('#found'), '9 of 9 found in 19,999 databases');
    });
  });

  test('is complete without its program, but for the timeline', async () => {
    await open('many', { javaScriptEnabled: false }, async (page) => {
      expect(await page.locator('#every').isVisible()).toBe(false);
      expect(await page.locator('#list tbody tr').count()).toBe(25);
      expect(await page.locator('svg.chart').count()).toBe(3);
    });
  });

  test('prints in light colours, with the table of the runs and without controls', async () => {
    await open('many', { colorScheme: 'dark' }, async (page) => {
      const seen = await page.evaluate<string[]>(`(() => {
        window.dispatchEvent(new Event('beforeprint'));
        const ink = getComputedStyle(document.documentElement).getPropertyValue('--ink').trim();
        const open = document.querySelector('details').open;
        window.dispatchEvent(new Event('afterprint'));
        return [ink, open, document.querySelector('details').open];
      })()`);
      expect(seen).toEqual(['#1c2430', true, false]);
      await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
      expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(255, 255, 255)');
      expect(await page.locator('.controls').first().isVisible()).toBe(false);
      expect((await page.pdf({ format: 'A4' })).byteLength).toBeGreaterThan(10_000);
    });
  });
});
