/*
 * ottl_texts: texts and keys of records in OTTL.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "plugins.h"

const char *ottl_text(struct fb_config *config, const char *text)
{
    char *out = hf_arena_take(&config->arena, 2 * strlen(text) + 3);
    size_t size = 0;
    if (out == NULL) {
        config->no_memory = true;
        return "\"\"";
    }
    out[size++] = '"';
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '"' || *at == '\\') {
            out[size++] = '\\';
        }
        out[size++] = *at;
    }
    out[size++] = '"';
    out[size] = '\0';
    return out;
}

bool ottl_is_body(const char *key)
{
    return strcmp(key, "log") == 0 || strcmp(key, "message") == 0 || strcmp(key, "MESSAGE") == 0 ||
           strcmp(key, "$log") == 0 || strcmp(key, "$message") == 0;
}

/* What the filter kubernetes adds to records is the resource here. */
static const char *kubernetes_key(struct fb_config *config, char parts[8][256], size_t count)
{
    static const char *const names[][2] = {{"pod_name", "k8s.pod.name"},
                                           {"namespace_name", "k8s.namespace.name"},
                                           {"container_name", "k8s.container.name"},
                                           {"host", "k8s.node.name"},
                                           {"pod_id", "k8s.pod.uid"},
                                           {"container_image", "container.image.name"},
                                           {"docker_id", "container.id"}};
    for (size_t i = 0; count == 2 && i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i][0], parts[1]) == 0) {
            return fb_format(config, "resource.attributes[\"%s\"]", names[i][1]);
        }
    }
    if (count == 3 && (strcmp(parts[1], "labels") == 0 || strcmp(parts[1], "annotations") == 0)) {
        const char *kind = parts[1][0] == 'l' ? "label" : "annotation";
        return fb_format(config, "resource.attributes[%s]",
                         ottl_text(config, fb_format(config, "k8s.pod.%s.%s", kind, parts[2])));
    }
    return NULL;
}

/* "$a['b']['c']" and "$a.b" as its parts; false: too many, or too long. */
static bool split_accessor(const char *key, char parts[8][256], size_t *ret_count)
{
    size_t count = 0, size = 0;
    bool is_quoted = false;
    for (const char *at = key + 1;; at++) {
        bool is_end = *at == '\0' || (!is_quoted && (*at == '[' || *at == ']' || *at == '.'));
        if (*at == '\'' || *at == '"') {
            is_quoted = !is_quoted;
        } else if (is_end && size != 0) {
            parts[count++][size] = '\0';
            size = 0;
        } else if (!is_end && (count == 8 || size + 1 == 256)) {
            return false;
        } else if (!is_end) {
            parts[count][size++] = *at;
        }
        if (*at == '\0' || (count == 8 && at[1] != '\0' && at[1] != ']')) {
            *ret_count = count;
            return *at == '\0' && count != 0;
        }
    }
}

const char *ottl_key(struct fb_config *config, const char *key)
{
    char parts[8][256] = {{0}};
    size_t count = 0;
    if (ottl_is_body(key)) {
        return "log.body";
    }
    if (key[0] != '$' || !split_accessor(key, parts, &count)) {
        return fb_format(config, "log.attributes[%s]", ottl_text(config, key));
    }
    const char *path =
        strcmp(parts[0], "kubernetes") == 0 ? kubernetes_key(config, parts, count) : NULL;
    if (path != NULL) {
        return path;
    }
    path = "log.attributes";
    for (size_t i = 0; i < count; i++) {
        path = fb_format(config, "%s[%s]", path, ottl_text(config, parts[i]));
    }
    return path;
}
