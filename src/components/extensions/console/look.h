/*
 * look: what a snapshot says about components, queues and exporters, in the words that pages need:
 * how each fares, and what needs attention. docs/control.md has the members of the tree.
 *
 * Any thread; nothing is kept.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "view.h"

/* A certificate that ends within this time is shown as a matter. */
#define HF_CONSOLE_EXPIRY_WARN_NS (UINT64_C(14) * 86400 * 1000000000)

enum hf_console_level { HF_CONSOLE_GOOD = 0, HF_CONSOLE_WARN, HF_CONSOLE_BAD };

/* The class of a level: "good", "warn", "bad". */
const char *hf_console_level_name(enum hf_console_level level);

/* The first element of a section; NULL: none. */
const struct hf_json *hf_console_first(const struct hf_console_view *view, const char *section);
/* The element with that id, and kind unless that is NULL. */
const struct hf_json *hf_console_find(const struct hf_console_view *view, const char *section,
                                      const char *kind, struct hf_slice id);
/* The consumer of a queue with that exporter's name. */
const struct hf_json *hf_console_consumer(const struct hf_json *queue, struct hf_slice name);

/* An amount's items ("queued", "delivered", ...) of a consumer or exporter; 0: none. */
uint64_t hf_console_items(const struct hf_json *owner, const char *amount);
const struct hf_json *hf_console_items_node(const struct hf_json *owner, const char *amount);
uint64_t hf_console_amount_bytes(const struct hf_json *owner, const char *amount);
/* A number with a fraction; 0: none. */
double hf_console_double(const struct hf_json *owner, const char *key);
/* A moment in seconds of Unix time, as nanoseconds; 0: null or none. */
uint64_t hf_console_moment(const struct hf_json *owner, const char *key);

/* An exporter's `last_error` or `last_refusal`: what kind it is, unless it is a passing fault, and
 * the words of the backend or the network. */
void hf_console_put_error(struct hf_console_page *page, const struct hf_json *error);

/* The items that wait for the slowest consumer. */
uint64_t hf_console_waiting(const struct hf_json *queue);

/* How it fares, with a word for it. `kind` is that of a component. */
enum hf_console_level hf_console_fares(const struct hf_console_view *view, const char *kind,
                                       struct hf_slice id, const char **ret_word);
enum hf_console_level hf_console_queue_fares(const struct hf_json *queue, const char **ret_word);

/* Something that needs attention; `put` writes the sentence. */
struct hf_console_matter {
    enum hf_console_level level;
    const char *path; /* of the page that tells more, without values */
    const char *kind; /* of its address; NULL: the path alone */
    struct hf_slice id;
    const char *what; /* "exporter", "queue", ... */
    const struct hf_json *about;
    void (*put)(const struct hf_console_view *view, struct hf_console_page *page,
                const struct hf_console_matter *matter);
};

#define HF_CONSOLE_MATTERS_MAX 64u

/* The worst first; returns how many are in `ret_matters`, and how many there are in `ret_all`. */
size_t hf_console_matters(const struct hf_console_view *view,
                          struct hf_console_matter ret_matters[HF_CONSOLE_MATTERS_MAX],
                          size_t *ret_all);
