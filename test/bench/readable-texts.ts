import type { Page } from 'playwright-core';

// Whether the texts of a page can be read: none lies over another, and each stands out from what is behind it. Canvases have no
// elements for their texts, so what they draw is recorded.

/** Before the page is loaded. */
export async function watchTexts(page: Page): Promise<void> {
  await page.addInitScript(recordCanvasTexts);
}

/** Pairs of texts that overlap, and texts whose contrast is below 4.5 : 1, which WCAG 2 asks of small text. */
export function unreadableTexts(page: Page): Promise<string[]> {
  return page.evaluate(findUnreadable);
}

const recordCanvasTexts = `
  window.canvasTexts = [];
  // Setting its size clears a canvas.
  const canvas = HTMLCanvasElement.prototype;
  const size = Object.getOwnPropertyDescriptor(canvas, 'width');
  Object.defineProperty(canvas, 'width', {
    ...size,
    set(value) {
      window.canvasTexts = window.canvasTexts.filter((text) => text.canvas !== this);
      size.set.call(this, value);
    },
  });
  const { fillText } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
    const { width, actualBoundingBoxAscent: up, actualBoundingBoxDescent: down } = this.measureText(text);
    const left = this.textAlign === 'right' ? x - width : x;
    const from = this.getTransform().transformPoint({ x: left, y: y - up });
    const to = this.getTransform().transformPoint({ x: left + width, y: y + down });
    const place = { left: from.x, top: from.y, right: to.x, bottom: to.y };
    window.canvasTexts.push({ canvas: this.canvas, text, ...place, color: this.fillStyle });
    fillText.call(this, text, x, y);
  };`;

const findUnreadable = `(() => {
  const numbers = (color) => color.startsWith('#')
    ? [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16))
    : color.match(/[\\d.]+/g).map(Number);
  const over = ([r, g, b, a = 1], ground) => [r, g, b].map((value, index) => value * a + ground[index] * (1 - a));
  const luminance = (color) => color
    .map((value) => value / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
    .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
  const contrast = (one, other) => {
    const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
  };
  const groundOf = (element) => {
    const own = numbers(getComputedStyle(element).backgroundColor);
    if (own.length === 3 || own[3] === 1) return own.slice(0, 3);
    return over(own, element.parentElement ? groundOf(element.parentElement) : [255, 255, 255]);
  };
  const pageGround = groundOf(document.body);

  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const element = node.parentElement;
    if (node.data.trim() === '' || !element.checkVisibility() || element.closest('script, style, option')) continue;
    const style = getComputedStyle(element);
    const color = numbers(element.closest('svg') ? style.fill : style.color);
    const ground = groundOf(element);
    const range = document.createRange();
    range.selectNodeContents(node);
    const boxes = [...range.getClientRects()].filter(({ width, height }) => width > 1 && height > 1);
    for (const { left, top, right, bottom } of boxes) {
      texts.push({ text: node.data.trim(), node, left, top, right, bottom, contrast: contrast(over(color, ground), ground) });
    }
  }
  for (const { canvas, color, ...place } of window.canvasTexts) {
    // A copy: reading a canvas that is drawn to makes the browser complain.
    const copy = document.createElement('canvas');
    copy.width = canvas.width;
    copy.height = canvas.height;
    const context = copy.getContext('2d', { willReadFrequently: true });
    context.drawImage(canvas, 0, 0);
    // What the text is drawn on: the pixel in front of its first letter.
    const [r, g, b, a] = context.getImageData(Math.max(0, place.left - 2), (place.top + place.bottom) / 2, 1, 1).data;
    const ground = over([r, g, b, a / 255], pageGround);
    texts.push({ ...place, node: 'canvas', contrast: contrast(numbers(color), ground) });
  }

  const found = texts
    .filter(({ contrast }) => contrast < 4.495)
    .map(({ text, contrast }) => 'contrast ' + contrast.toFixed(2) + ': ' + text.slice(0, 60));
  texts.forEach((one, index) => {
    for (const other of texts.slice(index + 1)) {
      // Canvases have coordinates of their own. Boxes of lines include room above and below the letters.
      if ((one.node === 'canvas') !== (other.node === 'canvas')) continue;
      if (one.node === other.node && one.node !== 'canvas') continue;
      const across = Math.min(one.right, other.right) - Math.max(one.left, other.left);
      const down = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
      if (across > 1 && down > 3) found.push('overlap: ' + one.text.slice(0, 40) + ' | ' + other.text.slice(0, 40));
    }
  });
  if (texts.length < 50) found.push('only ' + texts.length + ' texts were found');
  return [...new Set(found)];
})()`;
