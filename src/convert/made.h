/*
 * made: the configuration that is being made, as a tree that keeps its order. Texts are those of
 * Fluent Bit: ${NAME} becomes ${env:NAME}, and any other dollar is doubled. The nodes live in the
 * arena. Main thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "fluentbit.h"

enum made_kind { MADE_MAP = 0, MADE_LIST, MADE_TEXT, MADE_WORD, MADE_NULL };

struct made {
    struct made *next;
    const char *key; /* in a map; NULL: in a list */
    enum made_kind kind;
    const char *text; /* TEXT; WORD: a number, or true and false */
    struct made *first, **last;
    struct fb_config *config;
};

/* `parent` NULL is nothing, as is what comes of it: memory has run out. `key` NULL: into a list. */
struct made *made_root(struct fb_config *config);
struct made *made_map(struct made *parent, const char *key); /* the one that is there, if any */
struct made *made_list(struct made *parent, const char *key);
void made_text(struct made *parent, const char *key, const char *text);
void made_word(struct made *parent, const char *key, const char *word);
void made_null(struct made *parent, const char *key);
/* NULL values are left out. */
void made_text_if(struct made *parent, const char *key, const char *text);
bool made_has(const struct made *map, const char *key);

/* As YAML, malloc'd; NULL: out of memory. */
char *made_print(const struct made *root);
