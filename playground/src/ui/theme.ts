/** @file Light, dark, or what the system says. */
import { byId } from './dom.js';

const KEY = 'tessera-theme';

/** Storage may be switched off: then the choice lasts as long as the page. */
function stored(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

/** Told whenever colours change: what is drawn on a canvas has to be drawn again. */
export function watchTheme(changed: () => void): void {
  new MutationObserver(changed).observe(document.documentElement, { attributeFilter: ['data-theme'] });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', changed);
}

export function startTheme(): void {
  const select = byId<HTMLSelectElement>('theme');
  const apply = (theme: string): void => {
    if (theme === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme;
  };
  select.value = stored() ?? 'system';
  if (select.selectedIndex < 0) select.value = 'system';
  apply(select.value);
  select.addEventListener('change', () => {
    apply(select.value);
    try {
      localStorage.setItem(KEY, select.value);
    } catch {
      // It lasts as long as the page.
    }
  });
}

/** The value that a colour of base.css has now, for a canvas. */
export function colour(name: string): string {
  const probe = document.createElement('i');
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
