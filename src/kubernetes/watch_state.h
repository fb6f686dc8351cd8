/*
 * watch_state: what a watch asks for next, and what an answer means: the rules of list and watch,
 * without input and output.
 *
 * A list is read page by page; then a watch goes on from the list's resourceVersion, and the next
 * one from where the last one ended. When the server has forgotten that version (410, as the code
 * or in a line of the stream), the list is read once more and compared with what is known.
 *
 * Owned by one thread: hf_kube_state_init() first.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "known.h"
#include "json/json.h"

#define HF_KUBE_VERSION_MAX 64u
#define HF_KUBE_PAGE_OBJECTS 500u
#define HF_KUBE_WAIT_LEAST_NS UINT64_C(800000000)
#define HF_KUBE_WAIT_MOST_NS UINT64_C(30000000000)

struct hf_kube_state {
    char version[HF_KUBE_VERSION_MAX]; /* from where to watch; "": list first */
    char *next_page;                   /* the token of the list's next page; NULL: the first */
    bool has_listed;                   /* once at least: a cached list could be older */
    bool wants_whole_list;             /* without pages: a page's token has expired */
    uint32_t generation;               /* of the list */
    struct hf_kube_known known;
    uint64_t wait_ns;       /* after the next failure, before its spread */
    bool has_heard;         /* something came in the present request */
    bool has_expired;       /* in it the server said that the version is too old */
    uint64_t asked_wait_ns; /* by an ERROR line, for the end of the request */
};

enum hf_kube_verdict {
    HF_KUBE_SKIP = 0, /* nothing to show: known, or a bookmark */
    HF_KUBE_ADDED,
    HF_KUBE_MODIFIED,
    HF_KUBE_DELETED,
    HF_KUBE_BROKEN, /* an ERROR line, or nonsense: end the request */
};

/* A value of a query: %XX for all but what never has a meaning; cut when there is no room. The
 * size. */
size_t hf_kube_escape(char *out, size_t room, const char *text);

/* `version` NULL: a list comes first. Else what happened since that version is shown. */
void hf_kube_state_init(struct hf_kube_state *state, const char *version);
void hf_kube_state_release(struct hf_kube_state *state);

static inline bool hf_kube_state_is_listing(const struct hf_kube_state *state)
{
    return state->version[0] == '\0';
}

/* Shall all objects be listed again? Ends a list that is half read, too. */
void hf_kube_state_list_again(struct hf_kube_state *state);

/*
 * Begins a request: its query, behind `selectors` ("" or "fieldSelector=..."); the longest time
 * that its answer may take, in seconds. `draw` is uniform in [0, 1). HF_TOO_LARGE: no room.
 */
HF_MUST_USE enum hf_status hf_kube_state_begin(struct hf_kube_state *state, const char *selectors,
                                               double draw, char *ret_query, size_t room,
                                               unsigned *ret_seconds);

/* An object of the list: ADDED, MODIFIED or SKIP. HF_KUBE_BROKEN: out of memory. */
enum hf_kube_verdict hf_kube_state_element(struct hf_kube_state *state,
                                           const struct hf_json *object);
enum hf_kube_page { HF_KUBE_PAGE_MORE, HF_KUBE_PAGE_LAST, HF_KUBE_PAGE_BAD };

/* The list around a page's objects. Of the LAST page: what the list does not have any more is told
 * by hf_kube_known_sweep(&state->known, state->generation). BAD: it is no list. */
HF_MUST_USE enum hf_kube_page hf_kube_state_page(struct hf_kube_state *state,
                                                 const struct hf_json *list);

/* A line of the watch. `ret_object` is what it is about. Of a BROKEN one `reterr` (HF_ERROR_MAX)
 * has what the server says; empty when that is no cause for concern (410). */
enum hf_kube_verdict hf_kube_state_line(struct hf_kube_state *state, const struct hf_json *line,
                                        const struct hf_json **ret_object, char *reterr);

/* How a request has ended. */
struct hf_kube_end {
    bool was_list;
    bool is_whole;  /* an answer 200 came to its end */
    bool is_broken; /* but it was bad, or had an ERROR line */
    int code;       /* HTTP; 0: none came */
    uint64_t retry_after_ns;
    bool was_long; /* it lasted so long that the next one may come at once */
};

/* How long to wait before the next request. */
uint64_t hf_kube_state_end(struct hf_kube_state *state, const struct hf_kube_end *end, double draw);
