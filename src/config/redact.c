#include "redact.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A part of the text that may be one or more URLs: without blanks and quotes. */
struct word {
    const char *at, *end;
};

static void put(FILE *out, const char *from, const char *to)
{
    fwrite(from, 1, (size_t)(to - from), out);
}

static const char *find(struct word word, const char *needle)
{
    return memmem(word.at, (size_t)(word.end - word.at), needle, strlen(needle));
}

/* The end of what may be user information, host and port. */
static const char *authority_end(struct word word)
{
    const char *at = word.at;

    while (at < word.end && strchr("/?#", *at) == NULL) {
        at++;
    }
    /* In a list of URLs the next one's scheme. */
    bool is_scheme = at > word.at && at[-1] == ':' && word.end - at >= 2 && at[1] == '/';
    return is_scheme ? at - 1 : at;
}

static const char *last_at_sign(const char *from, const char *to)
{
    return memrchr(from, '@', (size_t)(to - from));
}

/* Writes what stands before the path, without user information. Returns where the path begins. */
static const char *put_authority(FILE *out, struct word word, bool has_scheme)
{
    const char *end = authority_end(word);
    const char *at = last_at_sign(word.at, end);

    /* Without a scheme, an address of a mailbox is none of these. */
    if (at != NULL && (has_scheme || memchr(word.at, ':', (size_t)(at - word.at)) != NULL)) {
        fputs(HF_REDACTED, out);
        word.at = at;
    }
    put(out, word.at, end);
    return end;
}

/* "/v1/traces", "host:4318/v1/traces": what a regular expression with a ? hardly is. */
static bool is_path(const char *from, const char *to)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-._~:/@%,";
    bool slash = false;

    for (; from < to; from++) {
        if (strchr(plain, *from) == NULL) {
            return false;
        }
        slash = slash || *from == '/';
    }
    return slash;
}

static void put_query(FILE *out, struct word query)
{
    while (query.at < query.end) {
        const char *name = query.at;
        while (query.at < query.end && strchr("&;=", *query.at) == NULL) {
            query.at++;
        }
        bool has_value = query.at < query.end && *query.at == '=';
        if (has_value) {
            put(out, name, ++query.at);
            name = query.at;
            while (query.at < query.end && strchr("&;", *query.at) == NULL) {
                query.at++;
            }
        }
        fputs(query.at > name ? HF_REDACTED : "", out);
        if (query.at < query.end) {
            fputc(*query.at++, out);
        }
    }
}

static void put_word(FILE *out, struct word word)
{
    const char *start = word.at;
    const char *scheme = find(word, "://");
    bool has_scheme = scheme != NULL;

    if (!has_scheme) {
        word.at = put_authority(out, word, false);
    }
    for (; scheme != NULL; scheme = find(word, "://")) {
        const char *query = memchr(word.at, '?', (size_t)(scheme - word.at));
        if (query != NULL) {
            break; /* a URL as a value in the query of another */
        }
        put(out, word.at, scheme + 3);
        word.at = scheme + 3;
        word.at = put_authority(out, word, true);
    }
    const char *query = memchr(word.at, '?', (size_t)(word.end - word.at));
    if (query == NULL || (!has_scheme && !is_path(start, query))) {
        put(out, word.at, word.end);
        return;
    }
    put(out, word.at, query + 1);
    put_query(out, (struct word){query + 1, word.end});
}

bool hf_redact_is_secret(const char *key)
{
    static const char *const words[] = {"password",    "passwd",     "passphrase", "secret",
                                        "token",       "api_key",    "api-key",    "apikey",
                                        "access_key",  "access-key", "credential", "authorization",
                                        "private_key", "key_pem",    "cookie"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcasestr(key, words[i]) != NULL) {
            return true;
        }
    }
    /* Their values are credentials more often than not. */
    size_t size = strlen(key), headers = strlen("headers");
    return size >= headers && strcasecmp(key + size - headers, "headers") == 0;
}

char *hf_redact_urls(const char *text)
{
    static const char between[] = " \t\r\n\"'<>";
    char *copy = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&copy, &size);

    if (out == NULL) {
        return NULL;
    }
    while (*text != '\0') {
        size_t length = strcspn(text, between);
        put_word(out, (struct word){text, text + length});
        text += length;
        length = strspn(text, between);
        put(out, text, text + length);
        text += length;
    }
    bool failed = ferror(out) != 0;
    if (fclose(out) != 0 || failed) {
        free(copy);
        return NULL;
    }
    return copy;
}
