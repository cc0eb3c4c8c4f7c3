/** @file The three views, by the address's hash. */
import { byId } from './dom.js';

const VIEWS = ['train', 'conformance', 'benchmarks'] as const;
export type ViewName = (typeof VIEWS)[number];

/** @param opened Told each time a view is shown. */
export function startRouter(opened: (view: ViewName) => void): void {
  const links = [...document.querySelectorAll<HTMLAnchorElement>('.top nav a')];
  const show = (first: boolean): void => {
    const hash = location.hash.slice(1);
    if (!first && hash === 'main') return;
    const name = VIEWS.find((view) => view === hash) ?? 'train';
    for (const view of VIEWS) byId(`view-${view}`).hidden = view !== name;
    for (const link of links) {
      if (link.hash === `#${name}`) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
    document.title = `${name[0]!.toUpperCase()}${name.slice(1)} · Tessera playground`;
    if (!first) {
      scrollTo(0, 0);
      byId('main').focus();
    }
    opened(name);
  };
  addEventListener('hashchange', () => show(false));
  show(true);
}
