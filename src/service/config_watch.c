#include "config_watch.h"

#include <stdlib.h>
#include <string.h>

#include "util/file_watch.h"
#include "util/time/clock.h"

#define FILE_SCHEME "file:"

struct hf_config_watch {
    bool is_changing;
    size_t count;
    struct hf_file_watch files[];
};

/* NULL: the source is no file. */
static const char *path_of(const struct hf_config_source *source)
{
    static const char *const others[] = {"env:", "yaml:", "http:", "https:"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (strncmp(source->uri, others[i], strlen(others[i])) == 0) {
            return NULL;
        }
    }
    size_t scheme =
        strncmp(source->uri, FILE_SCHEME, strlen(FILE_SCHEME)) == 0 ? strlen(FILE_SCHEME) : 0;
    return source->uri[scheme] != '\0' ? source->uri + scheme : NULL;
}

static bool look(struct hf_config_watch *watch)
{
    uint64_t now_ns = hf_clock_monotonic_ns();
    bool changed = false;
    for (size_t i = 0; i < watch->count; i++) {
        changed = hf_file_watch_changed(&watch->files[i], now_ns, 0) || changed;
    }
    return changed;
}

enum hf_status hf_config_watch_new(const struct hf_config_options *options,
                                   struct hf_config_watch **ret_watch)
{
    struct hf_config_watch *watch =
        calloc(1, sizeof(*watch) + options->source_count * sizeof(watch->files[0]));
    if (watch == NULL) {
        return HF_NOMEM;
    }
    for (size_t i = 0; i < options->source_count; i++) {
        const char *path = path_of(&options->sources[i]);
        if (path != NULL) {
            watch->files[watch->count++].path = path;
        }
    }
    (void)look(watch); /* the first look says that all have changed */
    *ret_watch = watch;
    return HF_OK;
}

void hf_config_watch_free(struct hf_config_watch *watch)
{
    free(watch);
}

bool hf_config_watch_settled(struct hf_config_watch *watch)
{
    if (watch == NULL) {
        return false;
    }
    bool was_changing = watch->is_changing;
    watch->is_changing = look(watch);
    return was_changing && !watch->is_changing;
}
