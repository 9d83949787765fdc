// Takes the place of the package react-style-singleton, through which GraphiQL's dialogs lock the page's scrolling. The
// original adds a <style> element, which a policy without 'unsafe-inline' blocks; a constructed style sheet is script,
// and allowed.

import { useEffect } from 'react';

export function stylesheetSingleton() {
  let users = 0;
  let sheet = null;
  return {
    add(css) {
      users += 1;
      if (users > 1) return;
      sheet = new CSSStyleSheet();
      sheet.replaceSync(css);
      document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    },
    remove() {
      users -= 1;
      if (users > 0) return;
      document.adoptedStyleSheets = document.adoptedStyleSheets.filter((one) => one !== sheet);
      sheet = null;
    },
  };
}

export function styleHookSingleton() {
  const sheet = stylesheetSingleton();
  return function useStyles(css, isDynamic) {
    useEffect(() => {
      sheet.add(css);
      return () => sheet.remove();
    }, [isDynamic ? css : null]);
  };
}

export function styleSingleton() {
  const useStyles = styleHookSingleton();
  return function Styles({ styles, dynamic }) {
    useStyles(styles, dynamic);
    return null;
  };
}
