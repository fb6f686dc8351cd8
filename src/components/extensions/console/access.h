/*
 * access: who may use the console from where: a request's Host must be a name of this console, so
 * that a page of another site cannot reach it through a name that it makes point here (DNS
 * rebinding); a change must come from one of its own pages, which the Origin and a token tell (no
 * other site can read the token, and it fits one browser's cookie only).
 *
 * The secret that tokens are made of is drawn at start and never leaves the process. Immutable
 * after init; any thread.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/field.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

#define HF_CONSOLE_COOKIE "holdfast_console"
#define HF_CONSOLE_COOKIE_SIZE 32u /* hex digits */
#define HF_CONSOLE_TOKEN_SIZE 64u  /* hex digits */

struct hf_console_access {
    uint8_t secret[32];
    const char *endpoint;               /* "host:port" */
    const struct hf_string_list *hosts; /* further names */
    char machine[256];                  /* the machine's own name; "": none */
};

/* The arguments are borrowed. HF_IO: the system gives no random bytes. */
HF_MUST_USE enum hf_status hf_console_access_init(struct hf_console_access *access,
                                                  const char *endpoint,
                                                  const struct hf_string_list *hosts);

/* Does only this machine reach that endpoint: a loopback address, localhost or a Unix socket? */
bool hf_console_is_loopback(const char *endpoint);

/* Is the value of Host (with or without a port) a name of this console? Addresses and localhost
 * are: no one else's name server has a say in them. */
bool hf_console_knows_host(const struct hf_console_access *access, struct hf_slice host);

/* Is the request from a page of this console, as far as the browser says? `origin` empty: it does
 * not say; `site` is Sec-Fetch-Site. */
bool hf_console_is_own_origin(struct hf_slice origin, struct hf_slice site, struct hf_slice host);

/* The console's cookie in the value of Cookie; false: there is none of its form. */
bool hf_console_find_cookie(struct hf_slice cookies, char ret_value[HF_CONSOLE_COOKIE_SIZE + 1]);
/* False: the system gives no random bytes. */
HF_MUST_USE bool hf_console_new_cookie(char ret_value[HF_CONSOLE_COOKIE_SIZE + 1]);

/* The token of the forms for the browser with that cookie. False: the system's OpenSSL has no
 * SHA-256. */
HF_MUST_USE bool hf_console_token(const struct hf_console_access *access, const char *cookie,
                                  char ret_token[HF_CONSOLE_TOKEN_SIZE + 1]);
/* In constant time. */
bool hf_console_token_fits(const struct hf_console_access *access, const char *cookie,
                           const char *token);
