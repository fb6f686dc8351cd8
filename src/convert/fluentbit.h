/*
 * fluentbit: a configuration of Fluent Bit as sections with properties, read from its classic form
 * or from YAML, and what is to be told of it. All memory is the arena's. Main thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <holdfast/slice.h>

#include "util/arena.h"

#define FB_MEMORY_MAX ((size_t)64 << 20)
#define FB_FILES_MAX 64u
#define FB_DEPTH_MAX 8u
#define FB_LINE_MAX ((size_t)64 << 10)

enum fb_kind {
    FB_OTHER = 0,
    FB_SERVICE,
    FB_INPUT,
    FB_FILTER,
    FB_OUTPUT,
    FB_PARSER,
    FB_MULTILINE_PARSER
};

struct fb_property {
    struct fb_property *next;
    const char *key, *value;
    bool is_used; /* something was made of it, or was told */
};

struct fb_section {
    struct fb_section *next;
    enum fb_kind kind;
    const char *title; /* as written: "INPUT" */
    const char *file;
    unsigned line; /* 0: not known */
    struct fb_property *first, **last;
};

/* What the person who converts has to know. */
enum fb_weight {
    FB_NOTE = 0, /* different, or not needed */
    FB_MISSING,  /* there is no equal: it was left out */
    FB_ERROR     /* it cannot be read */
};

struct fb_finding {
    struct fb_finding *next;
    enum fb_weight weight;
    const char *text;
};

struct fb_config {
    struct hf_arena arena;
    struct fb_section *first, **last;
    struct fb_property *sets; /* @SET, and env of YAML */
    struct fb_finding *findings, **last_finding;
    unsigned files;
    bool has_missing, has_error, no_memory;
};

void fb_init(struct fb_config *config);
void fb_release(struct fb_config *config);

/* A copy; "" when memory has run out, which is noted. */
const char *fb_copy(struct fb_config *config, struct hf_slice text);
const char *fb_format(struct fb_config *config, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* `section` NULL: it is about no section. */
void fb_tell(struct fb_config *config, enum fb_weight weight, const struct fb_section *section,
             const char *format, ...) __attribute__((format(printf, 4, 5)));

/* NULL: out of memory. */
struct fb_section *fb_add_section(struct fb_config *config, const char *title, const char *file,
                                  unsigned line);
void fb_add_property(struct fb_config *config, struct fb_section *section, struct hf_slice key,
                     struct hf_slice value);
void fb_add_set(struct fb_config *config, struct hf_slice key, struct hf_slice value);

/* The value of a key, whatever its case; NULL: absent. It counts as used. */
const char *fb_get(struct fb_section *section, const char *key);
const char *fb_get_or(struct fb_section *section, const char *key, const char *otherwise);
bool fb_is_on(struct fb_section *section, const char *key, bool otherwise);
/* The next property of that key behind `after`; NULL: there is none, or from the first. */
struct fb_property *fb_next(struct fb_section *section, struct fb_property *after, const char *key);
/* The plugin, in lower case; "": none. */
const char *fb_plugin(struct fb_config *config, struct fb_section *section);
struct fb_section *fb_find(struct fb_config *config, enum fb_kind kind, const char *name);

/* By the ending of the name: YAML, or classic. Findings tell what cannot be read. */
void fb_read_file(struct fb_config *config, const char *path, unsigned depth);

/* Reads a file, or those of a pattern, named from the folder of `file`. */
typedef void fb_includer(struct fb_config *config, const char *pattern, const char *file,
                         unsigned depth);
void fb_read_classic(struct fb_config *config, struct hf_slice text, const char *file,
                     unsigned depth, fb_includer *include);
void fb_read_yaml(struct fb_config *config, const char *path, unsigned depth, fb_includer *include);

/* `path` from the folder of `file`. */
const char *fb_beside(struct fb_config *config, const char *file, const char *path);
