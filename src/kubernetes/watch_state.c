#include "watch_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "util/time/clock.h"

#define LIST_SECONDS 300u
#define WATCH_SECONDS_LEAST 300u
#define GRACE_SECONDS 30u
#define PAGE_TOKEN_MAX 4096u
#define ASKED_WAIT_MOST_NS (300 * HF_NS_PER_S)
#define RECONNECT_NS (50 * HF_NS_PER_MS)

void hf_kube_state_init(struct hf_kube_state *state, const char *version)
{
    *state = (struct hf_kube_state){0};
    if (version != NULL) {
        snprintf(state->version, sizeof(state->version), "%s", version);
        state->has_listed = true;
    }
}

void hf_kube_state_release(struct hf_kube_state *state)
{
    hf_kube_known_release(&state->known);
    free(state->next_page);
    state->next_page = NULL;
}

static void forget_page(struct hf_kube_state *state)
{
    free(state->next_page);
    state->next_page = NULL;
}

void hf_kube_state_list_again(struct hf_kube_state *state)
{
    state->version[0] = '\0';
    forget_page(state);
}

size_t hf_kube_escape(char *out, size_t room, const char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t used = 0;
    for (; *text != '\0' && used + 4 < room; text++) {
        unsigned char c = (unsigned char)*text;
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                     (c != '\0' && strchr("-_.~", c) != NULL);
        if (plain) {
            out[used++] = (char)c;
        } else {
            out[used++] = '%';
            out[used++] = digits[c >> 4];
            out[used++] = digits[c & 15];
        }
    }
    out[used] = '\0';
    return used;
}

enum hf_status hf_kube_state_begin(struct hf_kube_state *state, const char *selectors, double draw,
                                   char *ret_query, size_t room, unsigned *ret_seconds)
{
    const char *separator = selectors[0] != '\0' ? "&" : "";
    char value[PAGE_TOKEN_MAX * 3];
    int size;
    state->has_heard = false;
    state->has_expired = false;
    state->asked_wait_ns = 0;
    if (!hf_kube_state_is_listing(state)) {
        unsigned seconds = WATCH_SECONDS_LEAST + (unsigned)(draw * WATCH_SECONDS_LEAST);
        hf_kube_escape(value, sizeof(value), state->version);
        size = snprintf(ret_query, room,
                        "%s%swatch=1&allowWatchBookmarks=true&timeoutSeconds=%u&resourceVersion=%s",
                        selectors, separator, seconds, value);
        *ret_seconds = seconds + GRACE_SECONDS;
    } else {
        *ret_seconds = LIST_SECONDS;
        if (state->next_page != NULL) {
            hf_kube_escape(value, sizeof(value), state->next_page);
            size = snprintf(ret_query, room, "%s%slimit=%u&continue=%s", selectors, separator,
                            HF_KUBE_PAGE_OBJECTS, value);
        } else {
            state->generation++;
            char limit[32] = "";
            if (!state->wants_whole_list) {
                snprintf(limit, sizeof(limit), "&limit=%u", HF_KUBE_PAGE_OBJECTS);
            }
            /* The first list may come from the server's cache; a later one must not be older. */
            size = snprintf(ret_query, room, "%s%sresourceVersion=%s%s", selectors, separator,
                            state->has_listed ? "" : "0", limit);
        }
    }
    return size >= 0 && (size_t)size < room ? HF_OK : HF_TOO_LARGE;
}

enum hf_kube_verdict hf_kube_state_element(struct hf_kube_state *state,
                                           const struct hf_json *object)
{
    const struct hf_json *metadata = hf_json_get(object, "metadata");
    struct hf_slice uid = hf_json_text_of(metadata, "uid");
    enum hf_kube_finding finding;
    if (uid.size == 0) {
        return HF_KUBE_SKIP;
    }
    if (hf_kube_known_note(&state->known, uid, hf_json_text_of(metadata, "resourceVersion"),
                           state->generation, &finding) != HF_OK) {
        return HF_KUBE_BROKEN;
    }
    state->has_heard = true;
    return finding == HF_KUBE_NEW             ? HF_KUBE_ADDED
           : finding == HF_KUBE_OTHER_VERSION ? HF_KUBE_MODIFIED
                                              : HF_KUBE_SKIP;
}

static bool note_version(struct hf_kube_state *state, const struct hf_json *metadata)
{
    struct hf_slice version = hf_json_text_of(metadata, "resourceVersion");
    if (version.size == 0 || version.size >= sizeof(state->version)) {
        return false;
    }
    memcpy(state->version, version.data, version.size);
    state->version[version.size] = '\0';
    return true;
}

enum hf_kube_page hf_kube_state_page(struct hf_kube_state *state, const struct hf_json *list)
{
    const struct hf_json *metadata = hf_json_get(list, "metadata");
    struct hf_slice more = hf_json_text_of(metadata, "continue");
    forget_page(state);
    if (more.size != 0 && more.size < PAGE_TOKEN_MAX) {
        state->next_page = strndup((const char *)more.data, more.size);
        return state->next_page != NULL ? HF_KUBE_PAGE_MORE : HF_KUBE_PAGE_BAD;
    }
    if (!note_version(state, metadata)) {
        return HF_KUBE_PAGE_BAD;
    }
    state->has_listed = true;
    state->wants_whole_list = false;
    return HF_KUBE_PAGE_LAST;
}

/* A Status object in an ERROR line. */
static enum hf_kube_verdict read_error(struct hf_kube_state *state, const struct hf_json *status,
                                       char *reterr)
{
    struct hf_slice reason = hf_json_text_of(status, "reason");
    struct hf_slice message = hf_json_text_of(status, "message");
    int64_t code = hf_json_int(hf_json_get(status, "code"));
    int64_t seconds = hf_json_int(
        hf_json_at(status, (const char *const[]){"details", "retryAfterSeconds", NULL}));
    reterr[0] = '\0';
    if (code == 410 || hf_slice_is(reason, "Expired") || hf_slice_is(reason, "Gone")) {
        state->has_expired = true;
        return HF_KUBE_BROKEN;
    }
    state->asked_wait_ns = seconds > 0 && seconds < 3600 ? (uint64_t)seconds * HF_NS_PER_S : 0;
    snprintf(reterr, HF_ERROR_MAX, "%.*s (%d %.*s)", (int)(message.size < 300 ? message.size : 300),
             (const char *)message.data, (int)code, (int)(reason.size < 60 ? reason.size : 60),
             (const char *)reason.data);
    return HF_KUBE_BROKEN;
}

enum hf_kube_verdict hf_kube_state_line(struct hf_kube_state *state, const struct hf_json *line,
                                        const struct hf_json **ret_object, char *reterr)
{
    struct hf_slice type = hf_json_text_of(line, "type");
    const struct hf_json *object = hf_json_get(line, "object");
    const struct hf_json *metadata = hf_json_get(object, "metadata");
    struct hf_slice uid = hf_json_text_of(metadata, "uid");
    *ret_object = object;
    if (hf_slice_is(type, "ERROR")) {
        return read_error(state, object, reterr);
    }
    if (!note_version(state, metadata)) {
        snprintf(reterr, HF_ERROR_MAX, "a line of the watch has no resourceVersion");
        return HF_KUBE_BROKEN;
    }
    state->has_heard = true;
    if (hf_slice_is(type, "DELETED")) {
        (void)hf_kube_known_remove(&state->known, uid);
        return HF_KUBE_DELETED;
    }
    if (!hf_slice_is(type, "ADDED") && !hf_slice_is(type, "MODIFIED")) {
        return HF_KUBE_SKIP; /* BOOKMARK, or a type to come */
    }
    enum hf_kube_verdict verdict = hf_kube_state_element(state, object);
    return verdict == HF_KUBE_ADDED && hf_slice_is(type, "MODIFIED") ? HF_KUBE_MODIFIED : verdict;
}

/* The next of the growing waits, spread by half of it to either side. */
static uint64_t failed(struct hf_kube_state *state, uint64_t at_least_ns, double draw)
{
    uint64_t wait_ns = state->wait_ns != 0 ? state->wait_ns : HF_KUBE_WAIT_LEAST_NS;
    state->wait_ns = wait_ns * 2 < HF_KUBE_WAIT_MOST_NS ? wait_ns * 2 : HF_KUBE_WAIT_MOST_NS;
    wait_ns = wait_ns / 2 + (uint64_t)((double)wait_ns * draw);
    at_least_ns = at_least_ns < ASKED_WAIT_MOST_NS ? at_least_ns : ASKED_WAIT_MOST_NS;
    return wait_ns > at_least_ns ? wait_ns : at_least_ns;
}

uint64_t hf_kube_state_end(struct hf_kube_state *state, const struct hf_kube_end *end, double draw)
{
    bool is_good = end->is_whole && !end->is_broken;
    bool has_expired = state->has_expired || end->code == 410;
    if (has_expired) {
        /* A page's token has expired, or the version that the watch began with. */
        state->wants_whole_list = state->next_page != NULL;
        hf_kube_state_list_again(state);
        return failed(state, 0, draw) / 8;
    }
    if (is_good && (end->was_list || state->has_heard || end->was_long)) {
        state->wait_ns = 0;
        return end->was_list ? 0 : (uint64_t)((double)RECONNECT_NS * draw);
    }
    if (end->was_list) {
        hf_kube_state_list_again(state); /* a list is read as a whole, or from its beginning */
    } else if (state->has_heard && !end->is_broken) {
        state->wait_ns = 0; /* it was a good connection until now */
        return failed(state, 0, draw) / 4;
    }
    return failed(state,
                  end->retry_after_ns > state->asked_wait_ns ? end->retry_after_ns
                                                             : state->asked_wait_ns,
                  draw);
}
