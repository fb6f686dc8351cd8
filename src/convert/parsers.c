/*
 * parsers: what the parsers of a file become, at an input and in a filter.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "plugins.h"

const char *convert_pattern(struct fb_config *config, const char *pattern)
{
    size_t size = strlen(pattern), written = 0;
    char *out = hf_arena_take(&config->arena, 2 * size + 1);
    if (out == NULL) {
        config->no_memory = true;
        return pattern;
    }
    /* /.../ around a pattern is no part of it. */
    bool is_framed = size >= 2 && pattern[0] == '/' && pattern[size - 1] == '/';
    const char *at = is_framed ? pattern + 1 : pattern;
    const char *end = is_framed ? pattern + size - 1 : pattern + size;
    for (; at < end; at++) {
        out[written++] = *at;
        if (at[0] == '\\' && at + 1 < end) {
            out[written++] = *++at;
        } else if (end - at > 3 && at[0] == '(' && at[1] == '?' && at[2] == '<' && at[3] != '=' &&
                   at[3] != '!') {
            out[written++] = '?';
            out[written++] = 'P';
            at++;
        }
    }
    out[written] = '\0';
    return out;
}

/* ---- parsers that are built in by name ---- */

/* The pairs and times that those of Fluent Bit's own file have. */
static bool is_container(const char *name)
{
    return strcasecmp(name, "docker") == 0 || strcasecmp(name, "cri") == 0 ||
           strcasecmp(name, "docker_no_time") == 0;
}

static void add_container(struct made *operators, const char *format)
{
    struct made *step = made_map(operators, NULL);
    made_text(step, "type", "container");
    if (format != NULL) {
        made_text(step, "format", format);
    }
}

/* ---- parsers as operators ---- */

static void add_time(struct made *step, struct fb_section *parser)
{
    const char *key = fb_get(parser, "time_key"), *layout = fb_get(parser, "time_format");
    if (key == NULL || layout == NULL) {
        return;
    }
    struct made *time = made_map(step, "timestamp");
    made_text(time, "parse_from",
              fb_format(step->config, "attributes[%s]", ottl_text(step->config, key)));
    made_text(time, "layout_type", "strptime");
    made_text(time, "layout", layout);
}

static void remove_time(struct made *operators, struct fb_section *parser)
{
    const char *key = fb_get(parser, "time_key");
    if (key != NULL && fb_get(parser, "time_format") != NULL &&
        !fb_is_on(parser, "time_keep", false)) {
        struct made *step = made_map(operators, NULL);
        made_text(step, "type", "remove");
        made_text(
            step, "field",
            fb_format(operators->config, "attributes[%s]", ottl_text(operators->config, key)));
    }
}

static void note_rest(struct conversion *conversion, struct fb_section *parser)
{
    static const char *const needless[] = {"name", "time_offset", "time_strict",
                                           "skip_empty_values", "time_system_timezone"};
    for (size_t i = 0; i < sizeof(needless) / sizeof(needless[0]); i++) {
        (void)fb_get(parser, needless[i]);
    }
    for (struct fb_property *one = parser->first; one != NULL; one = one->next) {
        if (!one->is_used) {
            one->is_used = true;
            fb_tell(conversion->config, FB_MISSING, parser, "%s has no equal", one->key);
        }
    }
}

static bool is_format(struct fb_section *parser, const char *format)
{
    return strcasecmp(fb_get_or(parser, "format", ""), format) == 0;
}

bool convert_parser_operators(struct conversion *conversion, struct made *operators,
                              struct fb_section *user, const char *name)
{
    struct fb_section *parser = fb_find(conversion->config, FB_PARSER, name);
    if (parser == NULL && is_container(name)) {
        add_container(operators, strcasecmp(name, "cri") == 0 ? "containerd" : "docker");
        return true;
    }
    if (parser == NULL) {
        fb_tell(conversion->config, FB_MISSING, user, "the parser %s is in no file that was read",
                name);
        return false;
    }
    if (is_container(name)) {
        for (struct fb_property *one = parser->first; one != NULL; one = one->next) {
            one->is_used = true;
        }
        add_container(operators, strcasecmp(name, "cri") == 0 ? "containerd" : "docker");
        return true;
    }
    struct made *step = made_map(operators, NULL);
    if (is_format(parser, "json")) {
        made_text(step, "type", "json_parser");
    } else if (is_format(parser, "regex")) {
        made_text(step, "type", "regex_parser");
        made_text(step, "regex",
                  convert_pattern(conversion->config, fb_get_or(parser, "regex", "")));
    } else if (is_format(parser, "logfmt") || is_format(parser, "ltsv")) {
        bool is_ltsv = is_format(parser, "ltsv");
        made_text(step, "type", "key_value_parser");
        made_text(step, "delimiter", is_ltsv ? ":" : "=");
        if (is_ltsv) {
            made_text(step, "pair_delimiter", "\t");
        }
    } else {
        made_text(step, "type", "noop");
        fb_tell(conversion->config, FB_MISSING, parser, "the format %s has no equal",
                fb_get_or(parser, "format", "(none)"));
    }
    add_time(step, parser);
    remove_time(operators, parser);
    note_rest(conversion, parser);
    return true;
}

const char *convert_parser_expression(struct conversion *conversion, struct fb_section *user,
                                      const char *name, const char *value)
{
    struct fb_config *config = conversion->config;
    struct fb_section *parser = fb_find(config, FB_PARSER, name);
    const char *expression = NULL;
    if (parser == NULL && strcasecmp(name, "json") == 0) {
        return fb_format(config, "ParseJSON(%s)", value);
    }
    if (parser == NULL) {
        fb_tell(config, FB_MISSING, user, "the parser %s is in no file that was read", name);
        return NULL;
    }
    if (is_format(parser, "json")) {
        expression = fb_format(config, "ParseJSON(%s)", value);
    } else if (is_format(parser, "regex")) {
        const char *pattern = convert_pattern(config, fb_get_or(parser, "regex", ""));
        expression =
            fb_format(config, "ExtractPatterns(%s, %s)", value, ottl_text(config, pattern));
    } else if (is_format(parser, "logfmt")) {
        expression = fb_format(config, "ParseKeyValue(%s)", value);
    } else if (is_format(parser, "ltsv")) {
        expression = fb_format(config, "ParseKeyValue(%s, \":\", \"\\t\")", value);
    } else {
        fb_tell(config, FB_MISSING, parser, "the format %s has no equal",
                fb_get_or(parser, "format", "(none)"));
    }
    if (fb_get(parser, "time_key") != NULL || fb_get(parser, "time_format") != NULL) {
        fb_tell(config, FB_NOTE, parser,
                "the time of a record stays that of its receipt when a filter parses it; parse it "
                "at the input, or set(log.time, Time(...)) in the processor transform");
        (void)fb_get(parser, "time_keep");
    }
    note_rest(conversion, parser);
    return expression;
}

/* ---- lines that belong together ---- */

/* The second of the quoted words of "\"start_state\" \"/pattern/\" \"next\"". */
static const char *pattern_of_rule(struct fb_config *config, const char *rule)
{
    const char *words[4] = {rule, NULL, NULL, NULL};
    for (size_t i = 0; i < 4; i++) {
        const char *quote = strchr(i == 0 ? rule : words[i - 1] + 1, '"');
        if (quote == NULL) {
            return NULL;
        }
        words[i] = quote;
    }
    const char *end = words[3];
    while (end > words[2] && end[-1] == '\\') {
        end = strchr(end + 1, '"');
        if (end == NULL) {
            return NULL;
        }
    }
    return convert_pattern(
        config, fb_copy(config, hf_slice_of(words[2] + 1, (size_t)(end - words[2]) - 1)));
}

const char *convert_multiline(struct conversion *conversion, struct fb_section *user,
                              const char *name)
{
    static const char *const indented[] = {"java", "python", "go", "ruby"};
    struct fb_section *parser = fb_find(conversion->config, FB_MULTILINE_PARSER, name);
    for (size_t i = 0; parser == NULL && i < sizeof(indented) / sizeof(indented[0]); i++) {
        if (strcasecmp(name, indented[i]) == 0) {
            fb_tell(conversion->config, FB_NOTE, user,
                    "multiline.parser %s: lines that begin with a blank, or with what continues a "
                    "trace of %s, belong to the one before; look at the pattern",
                    name, name);
            return "^([^\\s}C]|C[^a]|Ca[^u])";
        }
    }
    for (struct fb_property *rule = NULL;
         parser != NULL && (rule = fb_next(parser, rule, "rule")) != NULL;) {
        const char *pattern = strstr(rule->value, "start_state") != NULL
                                  ? pattern_of_rule(conversion->config, rule->value)
                                  : NULL;
        if (pattern != NULL) {
            fb_tell(conversion->config, FB_NOTE, user,
                    "multiline.parser %s: an entry begins where start_state matches; the other "
                    "rules are not needed",
                    name);
            return pattern;
        }
    }
    fb_tell(conversion->config, FB_MISSING, user,
            "multiline.parser %s has no equal: no rule of a start_state is known", name);
    return NULL;
}
