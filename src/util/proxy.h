/*
 * proxy: which proxy the environment names for a destination: HTTP_PROXY, HTTPS_PROXY and NO_PROXY,
 * or the same in lower case, read as Go programs read them. Any thread; the environment does not
 * change while the program runs.
 */
#pragma once

#include <stdbool.h>

/*
 * The value of HTTPS_PROXY, or of HTTP_PROXY for a destination in clear; NULL: none, go there
 * directly. This machine itself is never proxied. `host` stands without brackets, `port` is a
 * number.
 */
const char *hf_proxy_of_environment(bool https, const char *host, const char *port);

/*
 * By a list like NO_PROXY's, separated by commas: an address, a network as 10.0.0.0/8, a name,
 * which stands for its subdomains too, .name and *.name for the subdomains alone, each with or
 * without :port; `*` for all. NULL is an empty list.
 */
bool hf_proxy_is_excepted(const char *list, const char *host, const char *port);

/* What is wrong with the URL of a proxy for libcurl, which does not show it: it may hold a
 * password. NULL: nothing. A NULL URL is none. */
const char *hf_proxy_check(const char *url);
