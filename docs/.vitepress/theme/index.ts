/** @file VitePress' own theme, with what axe-core misses in it: contrast (style.css), a main landmark on pages without a sidebar, and names. */
import { useRoute } from 'vitepress';
import DefaultTheme from 'vitepress/theme';
import { defineComponent, h, nextTick, onMounted, watch } from 'vue';
import './style.css';

/** What the theme's own components lack, put into the page that is shown. */
function complete(): void {
  const content = document.querySelector('#VPContent');
  // Pages of text have a <main> of their own; the first page and "not found" have none.
  if (content !== null && content.querySelector('main') === null) content.setAttribute('role', 'main');
  else content?.removeAttribute('role');
  // The K of "Ctrl K" beside "Search" is no part of the button's name: style.css draws it.
  document.querySelector('.DocSearch-Button-Key:last-child')?.replaceChildren();
}

const Layout = defineComponent({
  setup() {
    const route = useRoute();
    onMounted(complete);
    watch(
      () => route.data,
      () => nextTick(complete),
      { flush: 'post' },
    );
    return () => h(DefaultTheme.Layout);
  },
});

export default { extends: DefaultTheme, Layout };
