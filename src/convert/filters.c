/*
 * filters: processors of filters: what is done to records is a transform, what is kept a filter.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "plugins.h"

/* "key value" and "\"a key\" \"a value\"": the first word, and what is behind it. */
static const char *first_word(struct fb_config *config, const char *text, const char **ret_rest)
{
    bool is_quoted = text[0] == '"';
    const char *begin = is_quoted ? text + 1 : text;
    size_t size = is_quoted ? strcspn(begin, "\"") : strcspn(begin, " \t");
    const char *rest = begin + size + (is_quoted && begin[size] == '"' ? 1 : 0);
    rest += strspn(rest, " \t");
    size_t rest_size = strlen(rest);
    if (rest_size >= 2 && rest[0] == '"' && rest[rest_size - 1] == '"') {
        rest = fb_copy(config, hf_slice_of(rest + 1, rest_size - 2));
    }
    *ret_rest = rest;
    return fb_copy(config, hf_slice_of(begin, size));
}

/* ---- statements of a transform ---- */

struct statements {
    struct conversion *conversion;
    struct plugin *filter;
    struct made *list;     /* made with the first statement */
    const char *condition; /* of all; NULL: none */
};

static void add(struct statements *statements, const char *statement, const char *condition)
{
    struct fb_config *config = statements->conversion->config;
    if (statements->list == NULL) {
        struct made *processor = convert_component(statements->conversion, "processors",
                                                   "transform", statements->filter);
        made_text(processor, "error_mode", "ignore");
        statements->list = made_list(processor, "log_statements");
    }
    const char *both = statements->condition;
    if (condition != NULL) {
        both = both != NULL ? fb_format(config, "%s and %s", both, condition) : condition;
    }
    made_text(statements->list, NULL,
              both != NULL ? fb_format(config, "%s where %s", statement, both) : statement);
}

static void set_key(struct statements *statements, const char *key, const char *value,
                    const char *condition)
{
    struct fb_config *config = statements->conversion->config;
    add(statements, fb_format(config, "set(%s, %s)", ottl_key(config, key), value), condition);
}

static void remove_key(struct statements *statements, const char *key, const char *condition)
{
    struct fb_config *config = statements->conversion->config;
    add(statements,
        ottl_is_body(key)
            ? "set(log.body, \"\")"
            : fb_format(config, "delete_key(log.attributes, %s)", ottl_text(config, key)),
        condition);
}

static void rename_key(struct statements *statements, const char *from, const char *to,
                       bool overwrites, bool keeps)
{
    struct fb_config *config = statements->conversion->config;
    const char *old = ottl_key(config, from), *new = ottl_key(config, to);
    const char *condition = overwrites ? fb_format(config, "%s != nil", old)
                                       : fb_format(config, "%s != nil and %s == nil", old, new);
    set_key(statements, to, old, condition);
    if (!keeps) {
        remove_key(statements, from, fb_format(config, "%s == %s", old, new));
    }
}

/* ---- modify ---- */

static const char *condition_of(struct statements *statements, const char *text)
{
    struct fb_config *config = statements->conversion->config;
    const char *rest, *value;
    const char *kind = first_word(config, text, &rest);
    const char *key = ottl_key(config, first_word(config, rest, &value));
    const char *pattern = ottl_text(config, convert_pattern(config, value));
    static const struct {
        const char *name, *format;
        bool is_pattern;
    } rows[] = {{"Key_exists", "%s != nil", false},
                {"Key_does_not_exist", "%s == nil", false},
                {"Key_value_equals", "%s == %s", false},
                {"Key_value_does_not_equal", "%s != %s", false},
                {"Key_value_matches", "IsMatch(%s, %s)", true},
                {"Key_value_does_not_match", "not IsMatch(%s, %s)", true}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcasecmp(rows[i].name, kind) != 0) {
            continue;
        }
        const char *other = rows[i].is_pattern ? pattern : ottl_text(config, value);
        switch (i) {
        case 0:
            return fb_format(config, "%s != nil", key);
        case 1:
            return fb_format(config, "%s == nil", key);
        case 2:
            return fb_format(config, "%s == %s", key, other);
        case 3:
            return fb_format(config, "%s != %s", key, other);
        case 4:
            return fb_format(config, "IsMatch(%s, %s)", key, other);
        default:
            return fb_format(config, "not IsMatch(%s, %s)", key, other);
        }
    }
    fb_tell(config, FB_MISSING, statements->filter->section, "Condition %s has no equal", kind);
    return NULL;
}

static void take_rule(struct statements *statements, struct fb_property *rule)
{
    struct fb_config *config = statements->conversion->config;
    const char *value;
    const char *key = first_word(config, rule->value, &value), *kind = rule->key;
    rule->is_used = true;
    if (strcasecmp(kind, "set") == 0) {
        set_key(statements, key, ottl_text(config, value), NULL);
    } else if (strcasecmp(kind, "add") == 0) {
        set_key(statements, key, ottl_text(config, value),
                fb_format(config, "%s == nil", ottl_key(config, key)));
    } else if (strcasecmp(kind, "remove") == 0) {
        remove_key(statements, key, NULL);
    } else if (strcasecmp(kind, "remove_wildcard") == 0 || strcasecmp(kind, "remove_regex") == 0) {
        bool is_regex = strcasecmp(kind, "remove_regex") == 0;
        const char *pattern =
            is_regex ? convert_pattern(config, key) : fb_format(config, "^%s", key);
        add(statements,
            fb_format(config, "delete_matching_keys(log.attributes, %s)",
                      ottl_text(config, pattern)),
            NULL);
    } else if (strcasecmp(kind, "rename") == 0 || strcasecmp(kind, "hard_rename") == 0) {
        rename_key(statements, key, value, strcasecmp(kind, "hard_rename") == 0, false);
    } else if (strcasecmp(kind, "copy") == 0 || strcasecmp(kind, "hard_copy") == 0) {
        rename_key(statements, key, value, strcasecmp(kind, "hard_copy") == 0, true);
    } else if (strncasecmp(kind, "move_to_", 8) == 0) {
        fb_tell(config, FB_NOTE, statements->filter->section, "%s: attributes have no order", kind);
    } else {
        rule->is_used = false;
    }
}

static void take_modify(struct conversion *conversion, struct plugin *filter)
{
    struct statements statements = {.conversion = conversion, .filter = filter};
    for (struct fb_property *one = NULL;
         (one = fb_next(filter->section, one, "condition")) != NULL;) {
        const char *condition = condition_of(&statements, one->value);
        if (condition == NULL) {
            return;
        }
        statements.condition =
            statements.condition != NULL
                ? fb_format(conversion->config, "%s and %s", statements.condition, condition)
                : condition;
    }
    for (struct fb_property *one = filter->section->first; one != NULL; one = one->next) {
        if (!one->is_used) {
            take_rule(&statements, one);
        }
    }
}

/* ---- record_modifier ---- */

static void take_record_modifier(struct conversion *conversion, struct plugin *filter)
{
    struct fb_config *config = conversion->config;
    struct fb_section *section = filter->section;
    struct statements statements = {.conversion = conversion, .filter = filter};
    const char *kept = NULL, *value;
    for (struct fb_property *one = NULL; (one = fb_next(section, one, "record")) != NULL;) {
        const char *key = first_word(config, one->value, &value);
        set_key(&statements, key, ottl_text(config, value), NULL);
    }
    for (struct fb_property *one = NULL; (one = fb_next(section, one, "remove_key")) != NULL;) {
        remove_key(&statements, one->value, NULL);
    }
    static const char *const lists[] = {"allowlist_key", "whitelist_key"};
    for (size_t i = 0; i < 2; i++) {
        for (struct fb_property *one = NULL; (one = fb_next(section, one, lists[i])) != NULL;) {
            const char *key = ottl_text(config, one->value);
            kept = kept != NULL ? fb_format(config, "%s, %s", kept, key) : key;
        }
    }
    if (kept != NULL) {
        add(&statements, fb_format(config, "keep_keys(log.attributes, [%s])", kept), NULL);
    }
    const char *uuid = fb_get(section, "uuid_key");
    if (uuid != NULL) {
        set_key(&statements, uuid, "UUID()", NULL);
    }
}

/* ---- grep ---- */

/* The conditions of one kind, joined; `format` has the key and the pattern. */
static const char *join(struct conversion *conversion, struct fb_section *section, const char *kind,
                        const char *word)
{
    struct fb_config *config = conversion->config;
    const char *joined = NULL, *pattern;
    for (struct fb_property *one = NULL; (one = fb_next(section, one, kind)) != NULL;) {
        const char *key = ottl_key(config, first_word(config, one->value, &pattern));
        const char *match = fb_format(config, "IsMatch(%s, %s)", key,
                                      ottl_text(config, convert_pattern(config, pattern)));
        joined = joined != NULL ? fb_format(config, "%s %s %s", joined, word, match) : match;
    }
    return joined;
}

static void take_grep(struct conversion *conversion, struct plugin *filter)
{
    struct fb_section *section = filter->section;
    const char *logic = fb_get_or(section, "logical_op", "legacy");
    bool is_or = strcasecmp(logic, "or") == 0, is_and = strcasecmp(logic, "and") == 0;
    /* What is kept matches all (OR: any) patterns; what is dropped any (AND: all). */
    const char *kept = join(conversion, section, "regex", is_or ? "or" : "and");
    const char *dropped = join(conversion, section, "exclude", is_and ? "and" : "or");
    struct made *processor = convert_component(conversion, "processors", "filter", filter);
    struct made *records = made_list(made_map(processor, "logs"), "log_record");
    if (kept != NULL) {
        made_text(records, NULL, fb_format(conversion->config, "not (%s)", kept));
    }
    if (dropped != NULL) {
        made_text(records, NULL, dropped);
    }
    made_text(processor, "error_mode", "ignore");
}

/* ---- parser and nest ---- */

static void take_parser(struct conversion *conversion, struct plugin *filter)
{
    struct fb_config *config = conversion->config;
    struct fb_section *section = filter->section;
    struct statements statements = {.conversion = conversion, .filter = filter};
    const char *name = fb_get_or(section, "key_name", "log");
    const char *key = ottl_key(config, name);
    bool keeps_key = fb_is_on(section, "preserve_key", false);
    if (!fb_is_on(section, "reserve_data", false)) {
        fb_tell(config, FB_NOTE, section,
                "Reserve_Data Off: the other attributes stay; keep_keys() in the processor "
                "transform removes them");
    }
    for (struct fb_property *one = NULL; (one = fb_next(section, one, "parser")) != NULL;) {
        const char *map = convert_parser_expression(conversion, section, one->value, key);
        if (map != NULL) {
            add(&statements, fb_format(config, "merge_maps(log.attributes, %s, \"upsert\")", map),
                fb_format(config, "%s != nil", key));
        }
    }
    if (!keeps_key && !ottl_is_body(name) && statements.list != NULL) {
        remove_key(&statements, name, NULL);
    }
}

static void take_nest(struct conversion *conversion, struct plugin *filter)
{
    struct fb_config *config = conversion->config;
    struct fb_section *section = filter->section;
    struct statements statements = {.conversion = conversion, .filter = filter};
    const char *under = fb_get(section, "nest_under"), *from = fb_get(section, "nested_under");
    if (strcasecmp(fb_get_or(section, "operation", ""), "lift") == 0 && from != NULL) {
        const char *map = ottl_key(config, from);
        const char *is_map = fb_format(config, "IsMap(%s)", map);
        if (fb_get(section, "add_prefix") != NULL || fb_get(section, "remove_prefix") != NULL ||
            fb_get(section, "wildcard") != NULL) {
            fb_tell(config, FB_MISSING, section,
                    "lift with Add_prefix, Remove_prefix or Wildcard: the keys keep their names");
        }
        add(&statements, fb_format(config, "merge_maps(log.attributes, %s, \"upsert\")", map),
            is_map);
        remove_key(&statements, from, is_map);
        return;
    }
    for (struct fb_property *one = NULL; (one = fb_next(section, one, "wildcard")) != NULL;) {
        if (strchr(one->value, '*') != NULL || under == NULL) {
            fb_tell(config, FB_MISSING, section,
                    "nest of the keys %s: only keys without a wildcard can be moved", one->value);
            continue;
        }
        const char *old = ottl_key(config, one->value);
        const char *new =
            fb_format(config, "%s[%s]", ottl_key(config, under), ottl_text(config, one->value));
        const char *is_there = fb_format(config, "%s != nil", old);
        add(&statements, fb_format(config, "set(%s, %s)", new, old), is_there);
        remove_key(&statements, one->value, is_there);
    }
}

/* ---- kubernetes ---- */

static void add_all(struct made *extract, const char *kind)
{
    struct made *one = made_map(made_list(extract, kind), NULL);
    made_text(one, "key_regex", "(.*)");
    made_text(one, "from", "pod");
}

static void take_kubernetes(struct conversion *conversion, struct plugin *filter)
{
    static const char *const metadata[] = {"k8s.namespace.name", "k8s.pod.name", "k8s.pod.uid",
                                           "k8s.node.name", "k8s.pod.start_time"};
    struct fb_section *section = filter->section;
    struct made *processor = convert_component(conversion, "processors", "k8sattributes", filter);
    struct made *extract = made_map(processor, "extract");
    for (size_t i = 0; i < sizeof(metadata) / sizeof(metadata[0]); i++) {
        made_text(made_list(extract, "metadata"), NULL, metadata[i]);
    }
    if (fb_is_on(section, "labels", true)) {
        add_all(extract, "labels");
    }
    if (fb_is_on(section, "annotations", true)) {
        add_all(extract, "annotations");
    }
    struct made *source = made_map(
        made_list(made_map(made_list(processor, "pod_association"), NULL), "sources"), NULL);
    made_text(source, "from", "resource_attribute");
    made_text(source, "name", "k8s.pod.uid");
    fb_tell(conversion->config, FB_NOTE, section,
            "the pod is found by k8s.pod.uid, which the operator container takes from the path of "
            "/var/log/pods; the service account needs get, list and watch of pods");
    (void)fb_get(section, "kube_tag_prefix");
    (void)fb_get(section, "kube_url");
    (void)fb_get(section, "kube_ca_file");
    (void)fb_get(section, "kube_token_file");
    (void)fb_get(section, "merge_log_trim");
    (void)fb_get(section, "buffer_size");
    (void)fb_get(section, "use_kubelet");
    (void)fb_get(section, "kubelet_port");
}

/* What a filter does to records besides, as a transform behind it. */
static void take_merge_log(struct conversion *conversion, struct plugin *filter)
{
    struct fb_config *config = conversion->config;
    struct fb_section *section = filter->section;
    struct plugin *behind = hf_arena_take(&config->arena, sizeof(*behind));
    if (!fb_is_on(section, "merge_log", false) || behind == NULL) {
        return;
    }
    *behind = (struct plugin){.section = section, .next = filter->next};
    struct statements statements = {.conversion = conversion, .filter = behind};
    const char *key = fb_get(section, "merge_log_key");
    const char *is_json = "IsMatch(log.body, \"^\\\\s*\\\\{\")";
    if (key != NULL) {
        set_key(&statements, key, "ParseJSON(log.body)", is_json);
    } else {
        add(&statements, "merge_maps(log.attributes, ParseJSON(log.body), \"upsert\")", is_json);
    }
    if (!fb_is_on(section, "keep_log", true)) {
        remove_key(&statements, "log", is_json);
    }
    filter->next = behind;
}

void convert_filter(struct conversion *conversion, struct plugin *filter)
{
    static const struct {
        const char *name;
        void (*take)(struct conversion *conversion, struct plugin *filter);
    } rows[] = {{"grep", take_grep},     {"modify", take_modify},
                {"parser", take_parser}, {"record_modifier", take_record_modifier},
                {"nest", take_nest},     {"kubernetes", take_kubernetes}};
    const char *name = fb_plugin(conversion->config, filter->section);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(rows[i].name, name) == 0) {
            rows[i].take(conversion, filter);
            if (strcmp(name, "kubernetes") == 0) {
                take_merge_log(conversion, filter);
            }
            return;
        }
    }
    fb_tell(conversion->config, FB_MISSING, filter->section, "the filter has no equal here");
    for (struct fb_property *one = filter->section->first; one != NULL; one = one->next) {
        one->is_used = true;
    }
}
