#!/bin/sh
# The browser tests need Debian's Chromium. As root on Debian it is installed; elsewhere one line says what is missing.
[ "${BROWSER:-}" = skip ] && { echo "BROWSER=skip: the browser tests are left out"; exit 0; }
command -v chromium >/dev/null 2>&1 && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing Chromium for the browser tests ..."
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null && exit 0
fi
echo "The browser tests need Chromium: install the package 'chromium', or leave them out with BROWSER=skip" >&2
exit 1
