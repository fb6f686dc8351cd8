/*
 * simple_json: OTLP/JSON as tests write it. It is included, not linked.
 */
#pragma once

#include <string.h>

/* Quotes single, an attribute as KEY=VALUE: so that it can be read. */
static inline void simplify(char *json)
{
    static const char head[] = "{'key':'", middle[] = "','value':{'stringValue':'", tail[] = "'}}";
    char *to = json;
    for (char *at = json; *at != '\0'; at++) {
        *at = *at == '"' ? '\'' : *at;
    }
    for (const char *at = json; *at != '\0';) {
        const char *parted = strstr(at, middle), *end = strstr(at, tail);
        if (strncmp(at, head, sizeof(head) - 1) != 0 || parted == NULL || end == NULL) {
            *to++ = *at++;
            continue;
        }
        at += sizeof(head) - 1;
        while (at != parted) {
            *to++ = *at++;
        }
        *to++ = '=';
        for (at += sizeof(middle) - 1; at != end;) {
            *to++ = *at++;
        }
        at += sizeof(tail) - 1;
    }
    *to = '\0';
}
