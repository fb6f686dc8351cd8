#include "fluentbit.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

void fb_init(struct fb_config *config)
{
    *config = (struct fb_config){.arena = {.limit = FB_MEMORY_MAX}};
    config->last = &config->first;
    config->last_finding = &config->findings;
}

void fb_release(struct fb_config *config)
{
    hf_arena_release(&config->arena);
}

static void *take(struct fb_config *config, size_t size)
{
    void *piece = hf_arena_take(&config->arena, size);
    config->no_memory = config->no_memory || piece == NULL;
    if (piece != NULL) {
        memset(piece, 0, size);
    }
    return piece;
}

const char *fb_copy(struct fb_config *config, struct hf_slice text)
{
    char *copy = take(config, text.size + 1);
    if (copy != NULL && text.size != 0) {
        memcpy(copy, text.data, text.size);
    }
    return copy != NULL ? copy : "";
}

static const char *format_list(struct fb_config *config, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *text = size >= 0 ? take(config, (size_t)size + 1) : NULL;
    if (text != NULL) {
        vsnprintf(text, (size_t)size + 1, format, arguments);
    }
    return text != NULL ? text : "";
}

const char *fb_format(struct fb_config *config, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const char *text = format_list(config, format, arguments);
    va_end(arguments);
    return text;
}

static const char *raw_value(const struct fb_section *section, const char *key)
{
    for (const struct fb_property *one = section->first; one != NULL; one = one->next) {
        if (strcasecmp(one->key, key) == 0) {
            return one->value;
        }
    }
    return NULL;
}

void fb_tell(struct fb_config *config, enum fb_weight weight, const struct fb_section *section,
             const char *format, ...)
{
    struct fb_finding *finding = take(config, sizeof(*finding));
    va_list arguments;
    va_start(arguments, format);
    const char *text = format_list(config, format, arguments);
    va_end(arguments);
    config->has_missing = config->has_missing || weight == FB_MISSING;
    config->has_error = config->has_error || weight == FB_ERROR;
    if (finding == NULL) {
        return;
    }
    finding->weight = weight;
    finding->text = text;
    if (section != NULL) {
        const char *name = raw_value(section, "name");
        char line[16] = "";
        if (section->line != 0) {
            snprintf(line, sizeof(line), ":%u", section->line);
        }
        finding->text = fb_format(config, "%s%s: [%s]%s%s: %s", section->file, line, section->title,
                                  name != NULL ? " " : "", name != NULL ? name : "", text);
    }
    for (const struct fb_finding *one = config->findings; one != NULL; one = one->next) {
        if (strcmp(one->text, finding->text) == 0) {
            return; /* it was told */
        }
    }
    *config->last_finding = finding;
    config->last_finding = &finding->next;
}

static enum fb_kind kind_of(const char *title)
{
    static const struct {
        const char *title;
        enum fb_kind kind;
    } rows[] = {{"SERVICE", FB_SERVICE}, {"INPUT", FB_INPUT},
                {"FILTER", FB_FILTER},   {"OUTPUT", FB_OUTPUT},
                {"PARSER", FB_PARSER},   {"MULTILINE_PARSER", FB_MULTILINE_PARSER}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcasecmp(rows[i].title, title) == 0) {
            return rows[i].kind;
        }
    }
    return FB_OTHER;
}

struct fb_section *fb_add_section(struct fb_config *config, const char *title, const char *file,
                                  unsigned line)
{
    struct fb_section *section = take(config, sizeof(*section));
    if (section != NULL) {
        section->title = title;
        section->kind = kind_of(title);
        section->file = file;
        section->line = line;
        section->last = &section->first;
        *config->last = section;
        config->last = &section->next;
    }
    return section;
}

/* A value with what @SET says in it: "${NAME}". Other variables stay, for the environment. */
static const char *with_sets(struct fb_config *config, struct hf_slice value)
{
    const char *text = fb_copy(config, value);
    for (const struct fb_property *set = config->sets; set != NULL; set = set->next) {
        const char *name = fb_format(config, "${%s}", set->key);
        const char *found = strstr(text, name);
        if (found != NULL && name[0] != '\0') {
            text = fb_format(config, "%.*s%s%s", (int)(found - text), text, set->value,
                             found + strlen(name));
        }
    }
    return text;
}

void fb_add_property(struct fb_config *config, struct fb_section *section, struct hf_slice key,
                     struct hf_slice value)
{
    struct fb_property *property = take(config, sizeof(*property));
    if (property != NULL) {
        property->key = fb_copy(config, key);
        property->value = with_sets(config, value);
        *section->last = property;
        section->last = &property->next;
    }
}

void fb_add_set(struct fb_config *config, struct hf_slice key, struct hf_slice value)
{
    struct fb_property *property = take(config, sizeof(*property));
    if (property != NULL) {
        property->key = fb_copy(config, key);
        property->value = fb_copy(config, value);
        property->next = config->sets;
        config->sets = property;
    }
}

struct fb_property *fb_next(struct fb_section *section, struct fb_property *after, const char *key)
{
    struct fb_property *one = after != NULL ? after->next : section->first;
    while (one != NULL && strcasecmp(one->key, key) != 0) {
        one = one->next;
    }
    if (one != NULL) {
        one->is_used = true;
    }
    return one;
}

const char *fb_get(struct fb_section *section, const char *key)
{
    const struct fb_property *property = fb_next(section, NULL, key);
    return property != NULL ? property->value : NULL;
}

const char *fb_get_or(struct fb_section *section, const char *key, const char *otherwise)
{
    const char *value = fb_get(section, key);
    return value != NULL ? value : otherwise;
}

bool fb_is_on(struct fb_section *section, const char *key, bool otherwise)
{
    const char *value = fb_get(section, key);
    if (value == NULL) {
        return otherwise;
    }
    return strcasecmp(value, "on") == 0 || strcasecmp(value, "true") == 0 ||
           strcasecmp(value, "yes") == 0 || strcmp(value, "1") == 0;
}

const char *fb_plugin(struct fb_config *config, struct fb_section *section)
{
    const char *name = fb_get_or(section, "name", "");
    char *lower = take(config, strlen(name) + 1);
    for (size_t i = 0; lower != NULL && name[i] != '\0'; i++) {
        lower[i] = (char)tolower((unsigned char)name[i]);
    }
    return lower != NULL ? lower : "";
}

struct fb_section *fb_find(struct fb_config *config, enum fb_kind kind, const char *name)
{
    for (struct fb_section *one = config->first; one != NULL; one = one->next) {
        const char *own = one->kind == kind ? raw_value(one, "name") : NULL;
        if (own != NULL && strcmp(own, name) == 0) {
            return one;
        }
    }
    return NULL;
}

const char *fb_beside(struct fb_config *config, const char *file, const char *path)
{
    const char *slash = strrchr(file, '/');
    if (path[0] == '/' || slash == NULL) {
        return path;
    }
    return fb_format(config, "%.*s%s", (int)(slash - file + 1), file, path);
}
