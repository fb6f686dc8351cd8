/*
 * watch: the objects of one kind, as they are and as they change.
 *
 * Listeners of the same client, path and selectors share one watch: a list and then a stream of
 * changes, which goes on over broken connections, restarts of the server and forgotten versions,
 * without losing or repeating a change (by uid and resourceVersion). A listener that joins later
 * makes the watch list again, and is shown all of it.
 *
 * A listener's functions run on the client's thread, and may not open or close watches.
 */
#pragma once

#include <stdbool.h>

#include <holdfast/node.h>
#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "client.h"
#include "json/json.h"

enum hf_kube_change { HF_KUBE_IS_ADDED = 0, HF_KUBE_IS_MODIFIED, HF_KUBE_IS_DELETED };

struct hf_kube_watch;

/* Embed; zeroed but for the functions. */
struct hf_kube_listener {
    /* `object` is valid during the call; NULL when it vanished while nothing was connected. */
    void (*changed)(struct hf_kube_listener *listener, enum hf_kube_change change,
                    struct hf_slice uid, const struct hf_json *object);
    /* All objects have been shown; again after each list. May be NULL. */
    void (*synced)(struct hf_kube_listener *listener);
    /* The changes of a piece of the stream have been shown: all that happened up to `version`, ""
     * in the middle of a list. May be NULL. */
    void (*settled)(struct hf_kube_listener *listener, const char *version);
    /* What goes wrong, at most once a minute for each sentence, and when it goes well again. */
    void (*say)(struct hf_kube_listener *listener, enum hf_log_level level, const char *sentence);
    /* The watch's. */
    struct hf_kube_listener *next;
    struct hf_kube_watch *watch;
    bool is_behind; /* it has not been shown all yet */
};

struct hf_kube_resource {
    const char *path;           /* "/api/v1/pods" */
    const char *what;           /* "pods", for the log */
    const char *label_selector; /* "a=b,c!=d"; NULL: all */
    const char *field_selector; /* likewise */
    bool is_private;            /* shared with no other listener, so that it can be held */
    const char *version;        /* private: from where to watch, without a list; NULL: list first */
    /* Private: no watch, but a list at this interval, of which all objects are shown as ADDED. */
    uint64_t pull_interval_ns;
};

/* The strings are copied. Any thread, but not inside of a listener's function. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_kube_watch_open(struct hf_kube_client *client,
                                              const struct hf_kube_resource *resource,
                                              struct hf_kube_listener *listener);
/* None of its functions is called any more when this returns. Nothing when it is not open. */
void hf_kube_watch_close(struct hf_kube_client *client, struct hf_kube_listener *listener);

/* Of a private watch, on the client's thread: nothing more is read, but for the rest of a piece,
 * until it is released. Nothing when it is not open. */
void hf_kube_watch_hold(struct hf_kube_listener *listener);
void hf_kube_watch_release(struct hf_kube_listener *listener);
