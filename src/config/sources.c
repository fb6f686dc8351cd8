/*
 * sources: reads the sources of a configuration (files, environment, text, URLs, --set) and merges
 * them.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "redact.h"
#include "tree.h"

/* Reads what `fd` gives, to its end or to the limit. The size of a pipe is not known before. */
static char *read_all(struct hf_load *load, int fd, size_t *ret_size, const char **reterr)
{
    size_t room = 16384, size = 0;
    char *text = hf_config_alloc(load->memory, room + 1);

    for (;;) {
        if (text == NULL) {
            *reterr = "out of memory";
            return NULL;
        }
        ssize_t got = read(fd, text + size, room - size);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            *reterr = strerror(errno);
            return NULL;
        }
        if (got == 0) {
            text[size] = '\0';
            *ret_size = size;
            return text;
        }
        size += (size_t)got;
        if (size == room) {
            char *more =
                room >= HF_CONFIG_SOURCE_BYTES ? NULL : hf_config_alloc(load->memory, room * 4 + 1);
            if (more == NULL) {
                *reterr = "larger than 4 MiB";
                return NULL;
            }
            memcpy(more, text, size);
            text = more;
            room *= 4;
        }
    }
}

char *hf_sources_file(struct hf_load *load, const char *path, size_t *ret_size, const char **reterr)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        *reterr = strerror(errno);
        return NULL;
    }
    if (fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) {
        *reterr = "it is a directory; name a file in it";
        close(fd);
        return NULL;
    }
    char *text = read_all(load, fd, ret_size, reterr);
    close(fd);
    return text;
}

static struct hf_yaml *read_file(struct hf_load *load, const char *path)
{
    struct hf_yaml_input input = {.file = path};
    const char *error = NULL;

    input.text = hf_sources_file(load, path, &input.size, &error);
    if (input.text == NULL) {
        hf_load_error(load, (struct hf_yaml_place){0}, NULL,
                      "cannot read the configuration file %s: %s", path, error);
        return NULL;
    }
    return hf_yaml_parse(load, &input);
}

static struct hf_yaml *read_text(struct hf_load *load, const char *text, const char *name)
{
    struct hf_yaml_input input = {.text = text, .size = strlen(text), .file = name};

    if (input.size > HF_CONFIG_SOURCE_BYTES) {
        hf_load_error(load, (struct hf_yaml_place){.file = name}, NULL, "larger than 4 MiB");
        return NULL;
    }
    return hf_yaml_parse(load, &input);
}

static struct hf_yaml *read_env(struct hf_load *load, const char *uri)
{
    const char *name = uri + strlen("env:");
    const char *text = hf_load_getenv(load, name);

    if (text == NULL) {
        hf_load_error(load, (struct hf_yaml_place){0}, NULL,
                      "%s: the environment variable %s, which should hold the configuration, is "
                      "not set",
                      uri, name);
        return NULL;
    }
    return read_text(load, text, uri);
}

static struct hf_yaml *read_url(struct hf_load *load, const char *url)
{
    char error[HF_ERROR_MAX] = "not where this configuration is read";
    char *redacted = hf_redact_urls(url);
    const char *name =
        redacted != NULL ? hf_config_text(load->memory, redacted, strlen(redacted)) : NULL;
    free(redacted);
    if (name == NULL) {
        return NULL;
    }
    char *fetched = load->options->fetch != NULL ? load->options->fetch(url, error) : NULL;
    if (fetched == NULL) {
        hf_load_error(load, (struct hf_yaml_place){0}, NULL,
                      "cannot fetch the configuration %s: %s", name, error);
        return NULL;
    }
    const char *text = hf_config_text(load->memory, fetched, strlen(fetched));
    free(fetched);
    return text != NULL ? read_text(load, text, name) : NULL;
}

/* The length of the scheme before the first colon; 0: none. One letter is a drive, as in Go. */
static size_t scheme_length(const char *uri)
{
    size_t length = 0;

    if (!isalpha((unsigned char)uri[0])) {
        return 0;
    }
    while (isalnum((unsigned char)uri[length]) ||
           (uri[length] != '\0' && strchr("+.-", uri[length]) != NULL)) {
        length++;
    }
    return uri[length] == ':' && length >= 2 ? length : 0;
}

static struct hf_yaml *read_source(struct hf_load *load, const struct hf_config_source *source)
{
    const char *uri = source->uri;
    size_t scheme = uri == NULL ? 0 : scheme_length(uri);

    if (source->text != NULL) {
        return read_text(load, source->text, source->name != NULL ? source->name : "built-in");
    }
    if (scheme == 0) {
        return read_file(load, uri == NULL ? "" : uri);
    }
    if (strncasecmp(uri, "file:", scheme + 1) == 0) {
        return read_file(load, uri + scheme + 1);
    }
    if (strncasecmp(uri, "env:", scheme + 1) == 0) {
        return read_env(load, uri);
    }
    if (strncasecmp(uri, "yaml:", scheme + 1) == 0) {
        return read_text(load, uri + scheme + 1, "yaml:");
    }
    if (strncasecmp(uri, "http:", scheme + 1) == 0 || strncasecmp(uri, "https:", scheme + 1) == 0) {
        return read_url(load, uri);
    }
    hf_load_error(load, (struct hf_yaml_place){0}, NULL,
                  "scheme \"%.*s\" is not supported for uri %s; expected a path, file:, env:, "
                  "yaml:, http: or https:",
                  (int)scheme, uri, hf_show(uri).text);
    return NULL;
}

/* ---- --set -----------------------------------------------------------------------------------
 */

static const char *trimmed(struct hf_load *load, const char *text, size_t size)
{
    while (size > 0 && isspace((unsigned char)text[0])) {
        text++;
        size--;
    }
    while (size > 0 && isspace((unsigned char)text[size - 1])) {
        size--;
    }
    return hf_config_text(load->memory, text, size);
}

/* "a.b.c" as the key "a::b::c" of a map with one entry; merging takes it apart. */
static const char *dotted(struct hf_load *load, const char *key)
{
    char *text = hf_config_alloc(load->memory, strlen(key) * 2 + 1);

    for (char *to = text; text != NULL && *key != '\0'; key++) {
        *to++ = *key == '.' ? ':' : *key;
        if (*key == '.') {
            *to++ = ':';
        }
    }
    return text;
}

static struct hf_yaml *read_set(struct hf_load *load, const char *set)
{
    const char *equals = strchr(set, '=');
    const char *key = equals == NULL ? NULL : trimmed(load, set, (size_t)(equals - set));

    if (equals == NULL || (key != NULL && key[0] == '\0')) {
        hf_load_error(load, (struct hf_yaml_place){0}, NULL, "--set %s: %s; expected key=value",
                      equals == NULL ? hf_show(set).text : "",
                      equals == NULL ? "missing equal sign" : "missing key");
        return NULL;
    }
    const char *value_text = trimmed(load, equals + 1, strlen(equals + 1));
    const char *name = key == NULL ? NULL : hf_config_format(load->memory, "--set %s", key);
    if (value_text == NULL || name == NULL) {
        return NULL;
    }
    struct hf_yaml *value = read_text(load, value_text, name);
    const char *path = dotted(load, key);
    if (value == NULL || path == NULL) {
        return NULL;
    }
    struct hf_yaml *map = hf_yaml_new(load, HF_YAML_MAP, value->place);
    if (map == NULL || !hf_yaml_put(load, map, path, value->place, value)) {
        return NULL;
    }
    return map;
}

/* ---- all together ----------------------------------------------------------------------------
 */

static bool is_mapping(struct hf_load *load, const struct hf_yaml *node)
{
    if (hf_yaml_is_null(node) || node->kind == HF_YAML_MAP) {
        return true;
    }
    hf_load_error(load, node->place, NULL,
                  "a configuration is a map with keys such as receivers and service, got %s",
                  hf_yaml_show(node).text);
    return false;
}

struct hf_yaml *hf_sources_read(struct hf_load *load)
{
    const struct hf_config_options *options = load->options;
    struct hf_yaml_place nowhere = {0};
    struct hf_yaml *root = hf_yaml_scalar(load, nowhere, "", HF_SCALAR_NULL);
    bool good = root != NULL;

    if (options->source_count == 0 && options->set_count == 0) {
        hf_load_error(load, nowhere, NULL, "at least one config flag must be provided");
        return NULL;
    }
    /* Every source is read even after one has failed, to name all mistakes at once. */
    for (size_t i = 0; i < options->source_count + options->set_count; i++) {
        struct hf_yaml *next = i < options->source_count
                                   ? read_source(load, &options->sources[i])
                                   : read_set(load, options->sets[i - options->source_count]);
        if (next == NULL || !is_mapping(load, next)) {
            good = false;
        } else if (good) {
            root = hf_yaml_merge(load, root, next);
            good = root != NULL;
        }
    }
    return good ? root : NULL;
}
