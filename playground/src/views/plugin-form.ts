/** @file Adding a plugin, by address or file. */
import type { PluginSource } from '../shared/settings.js';
import { byId, messageOf } from '../ui/dom.js';

/** All that were added: workers that start later need them too. */
export const addedPlugins: PluginSource[] = [];

/** @param add Loads the plugin, and says what was added. */
export function startPluginForm(add: (source: PluginSource) => Promise<string>): void {
  const url = byId<HTMLInputElement>('plugin-url');
  const file = byId<HTMLInputElement>('plugin-file');
  const status = byId('plugin-status');
  const run = async (source: PluginSource): Promise<void> => {
    status.classList.remove('bad');
    status.textContent = 'Loading …';
    try {
      status.textContent = await add(source);
      addedPlugins.push(source);
    } catch (error) {
      status.classList.add('bad');
      status.textContent = messageOf(error);
    }
  };
  const fromUrl = (): void => {
    if (url.value.trim() === '') return url.focus();
    // Relative addresses are the page's, not the worker's.
    if (URL.canParse(url.value, location.href)) void run({ url: new URL(url.value, location.href).href });
  };
  byId('plugin-add').addEventListener('click', fromUrl);
  url.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') fromUrl();
  });
  file.addEventListener('change', () => {
    const [chosen] = file.files ?? [];
    if (chosen !== undefined) void chosen.text().then((code) => run({ name: chosen.name, code }));
    file.value = '';
  });
}
