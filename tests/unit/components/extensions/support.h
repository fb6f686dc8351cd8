/*
 * support: what tests of authenticators share: a configured extension, request headers, a sink for
 * headers.
 */
#pragma once

#include <semaphore.h>

#include "tests/unit/made_config.h"

struct extension {
    struct made_config made;
    const struct hf_component *component;
    void *self;
};

/* The extension of a configuration that is right. `pairs` as made_config(). */
static inline void open_extension(struct extension *extension, const struct hf_component *component,
                                  const char *const pairs[][2])
{
    char error[HF_ERROR_MAX] = "";
    extension->component = component;
    made_config(&extension->made, component, pairs);
    const char *wrong = component->check(extension->made.config);
    if (wrong != NULL) {
        fail_msg("%s", wrong);
    }
    if (component->open(NULL, extension->made.config, &extension->self, error) != HF_OK) {
        fail_msg("%s", error);
    }
    if (component->start != NULL && component->start(extension->self, error) != HF_OK) {
        fail_msg("%s", error);
    }
}

static inline void close_extension(struct extension *extension)
{
    if (extension->component->stop != NULL) {
        extension->component->stop(extension->self);
    }
    extension->component->close(extension->self);
    made_config_release(&extension->made);
}

/* What check() says of a configuration: "" when it is right. */
static inline void assert_check_says(const struct hf_component *component,
                                     const char *const pairs[][2], const char *part)
{
    struct made_config made;
    made_config(&made, component, pairs);
    const char *wrong = component->check(made.config);
    if (wrong == NULL || strstr(wrong, part) == NULL) {
        fail_msg("no \"%s\" in \"%s\"", part, wrong == NULL ? "(right)" : wrong);
    }
    made_config_release(&made);
}

/* The request of a check is its one header, "name: value". */
static inline struct hf_slice header_of(void *request, const char *name)
{
    const char *line = request;
    size_t size = strlen(name);
    if (strncmp(line, name, size) != 0 || strncmp(line + size, ": ", 2) != 0) {
        return HF_EMPTY_SLICE;
    }
    return hf_slice_text(line + size + 2);
}

struct waiting {
    struct hf_auth_wait wait;
    sem_t done;
    enum hf_status status;
};

static inline bool still_wanted(struct hf_auth_wait *wait)
{
    (void)wait;
    return true;
}

static inline void note_done(struct hf_auth_wait *wait, enum hf_status status)
{
    struct waiting *waiting = (struct waiting *)(void *)wait; /* it is first */
    waiting->status = status;
    sem_post(&waiting->done);
}

/* Waits for the answer when there is none at once; `*ret_at_once` may be NULL. */
static inline enum hf_status check_client(const struct extension *extension, const char *line,
                                          struct hf_meta_writer *meta, bool *ret_at_once)
{
    const struct hf_auth *auth = extension->component->extension->auth;
    char copy[1024];
    snprintf(copy, sizeof(copy), "%s", line);
    const struct hf_auth_request request = {header_of, copy, "10.0.0.7:51234"};
    struct waiting waiting = {.wait = {NULL, meta, still_wanted, note_done}};
    meta->size = 0;
    bool at_once = auth->check(extension->self, &request, meta, &waiting.status);
    if (!at_once) {
        sem_init(&waiting.done, 0, 0);
        auth->begin(extension->self, &request, &waiting.wait);
        while (sem_wait(&waiting.done) != 0) {
        }
        sem_destroy(&waiting.done);
    }
    if (ret_at_once != NULL) {
        *ret_at_once = at_once;
    }
    return waiting.status;
}

static inline enum hf_status check_line(const struct extension *extension, const char *line)
{
    struct hf_meta_writer meta;
    return check_client(extension, line, &meta, NULL);
}

struct sink {
    struct hf_header_sink sink; /* first */
    char text[2048];            /* "name=value;" of each */
};

static inline enum hf_status keep(struct hf_header_sink *sink, struct hf_slice name,
                                  struct hf_slice value)
{
    struct sink *kept = (struct sink *)(void *)sink;
    size_t used = strlen(kept->text);
    snprintf(kept->text + used, sizeof(kept->text) - used, "%.*s=%.*s;", (int)name.size,
             (const char *)name.data, (int)value.size, (const char *)value.data);
    return HF_OK;
}

static inline void assert_adds(const struct extension *extension, struct hf_slice meta,
                               const char *expected)
{
    struct sink sink = {.sink = {keep}};
    assert_int_equal(
        extension->component->extension->auth->headers(extension->self, meta, &sink.sink), HF_OK);
    assert_string_equal(sink.text, expected);
}

static inline void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}
