/*
 * plugins: what each plugin of Fluent Bit becomes. A record's key of the text ("log", "message",
 * "MESSAGE") is the body of a log record, all others are its attributes. Main thread.
 */
#pragma once

#include "made.h"

enum plugin_signal { PLUGIN_LOGS = 1, PLUGIN_METRICS = 2, PLUGIN_TRACES = 4 };

/* One that was converted. */
struct plugin {
    struct plugin *next;
    struct fb_section *section;
    const char *id;   /* of the component; NULL: there is none, and it was told why */
    unsigned signals; /* plugin_signal */
};

struct conversion {
    struct fb_config *config;
    struct made *root;
};

void convert_input(struct conversion *conversion, struct plugin *input);
void convert_filter(struct conversion *conversion, struct plugin *filter);
void convert_output(struct conversion *conversion, struct plugin *output);

/* A new component of a section such as "receivers", with its id. */
struct made *convert_component(struct conversion *conversion, const char *section, const char *type,
                               struct plugin *plugin);

/* Operators that do what a parser of that name does. False: there is none, which is told. */
bool convert_parser_operators(struct conversion *conversion, struct made *operators,
                              struct fb_section *user, const char *name);
/* An OTTL expression of type map that parses `value` with it; NULL: there is none, which is told.
 */
const char *convert_parser_expression(struct conversion *conversion, struct fb_section *user,
                                      const char *name, const char *value);
/* The pattern of the first line of an entry of a multiline parser; NULL: not known, which is told.
 */
const char *convert_multiline(struct conversion *conversion, struct fb_section *user,
                              const char *name);
/* A pattern of Onigmo as RE2 takes it: named groups. */
const char *convert_pattern(struct fb_config *config, const char *pattern);

/* Texts of OTTL. */
const char *ottl_text(struct fb_config *config, const char *text);
const char *ottl_key(struct fb_config *config, const char *key);
/* Is it the body? */
bool ottl_is_body(const char *key);

/* May a tag fit the pattern, when either has wildcards? */
bool convert_tags_meet(const char *pattern, const char *tag);
