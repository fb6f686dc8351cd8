#include "look.h"

#include <string.h>

#define NEARLY_FULL 0.8

const char *hf_console_level_name(enum hf_console_level level)
{
    return level == HF_CONSOLE_BAD ? "bad" : level == HF_CONSOLE_WARN ? "warn" : "good";
}

const struct hf_json *hf_console_first(const struct hf_console_view *view, const char *section)
{
    return view->snapshot != NULL ? hf_json_first(hf_json_get(view->snapshot->root, section))
                                  : NULL;
}

const struct hf_json *hf_console_find(const struct hf_console_view *view, const char *section,
                                      const char *kind, struct hf_slice id)
{
    const struct hf_json *at = hf_console_first(view, section);
    while (at != NULL && !(hf_slice_equal(hf_json_text_of(at, "id"), id) &&
                           (kind == NULL || hf_slice_is(hf_json_text_of(at, "kind"), kind)))) {
        at = at->next;
    }
    return at;
}

const struct hf_json *hf_console_consumer(const struct hf_json *queue, struct hf_slice name)
{
    const struct hf_json *at = hf_json_first(hf_json_get(queue, "consumers"));
    while (at != NULL && !hf_slice_equal(hf_json_text_of(at, "name"), name)) {
        at = at->next;
    }
    return at;
}

const struct hf_json *hf_console_items_node(const struct hf_json *owner, const char *amount)
{
    return hf_json_get(hf_json_get(owner, amount), "items");
}

uint64_t hf_console_items(const struct hf_json *owner, const char *amount)
{
    return (uint64_t)hf_json_int(hf_console_items_node(owner, amount));
}

uint64_t hf_console_amount_bytes(const struct hf_json *owner, const char *amount)
{
    return (uint64_t)hf_json_int(hf_json_get(hf_json_get(owner, amount), "bytes"));
}

double hf_console_double(const struct hf_json *owner, const char *key)
{
    const struct hf_json *value = hf_json_get(owner, key);
    return value == NULL                   ? 0
           : value->kind == HF_JSON_DOUBLE ? value->number
           : value->kind == HF_JSON_INT    ? (double)value->integer
                                           : 0;
}

uint64_t hf_console_moment(const struct hf_json *owner, const char *key)
{
    double seconds = hf_console_double(owner, key);
    return seconds > 0 && seconds < 1e10 ? (uint64_t)(seconds * 1e9) : 0;
}

uint64_t hf_console_waiting(const struct hf_json *queue)
{
    uint64_t most = 0;
    for (const struct hf_json *at = hf_json_first(hf_json_get(queue, "consumers")); at != NULL;
         at = at->next) {
        uint64_t items = hf_console_items(at, "queued");
        most = items > most ? items : most;
    }
    return most;
}

/* ---- how things fare ---- */

static bool is_balanced(const struct hf_json *queue)
{
    bool balanced = true;
    for (const struct hf_json *at = hf_json_first(hf_json_get(queue, "consumers")); at != NULL;
         at = at->next) {
        balanced = balanced && hf_json_bool(hf_json_get(at, "balanced"));
    }
    return balanced;
}

enum hf_console_level hf_console_queue_fares(const struct hf_json *queue, const char **ret_word)
{
    double used = hf_console_double(queue, "disk_bytes");
    double most = hf_console_double(queue, "disk_bytes_max");
    enum hf_console_level level = HF_CONSOLE_WARN;
    if (!hf_json_bool(hf_json_get(queue, "healthy"))) {
        *ret_word = "takes nothing";
        level = HF_CONSOLE_BAD;
    } else if (!is_balanced(queue)) {
        *ret_word = "does not balance";
        level = HF_CONSOLE_BAD;
    } else if (most > 0 && used >= NEARLY_FULL * most) {
        *ret_word = "nearly full";
    } else if (hf_json_int(hf_json_get(hf_json_get(queue, "damaged"), "records")) != 0) {
        *ret_word = "damaged records";
    } else {
        *ret_word = "healthy";
        level = HF_CONSOLE_GOOD;
    }
    return level;
}

static enum hf_console_level exporter_fares(const struct hf_json *exporter, const char **ret_word)
{
    static const struct {
        const char *state;
        enum hf_console_level level;
        const char *word;
    } rows[] = {{"working", HF_CONSOLE_GOOD, "working"},
                {"held", HF_CONSOLE_WARN, "held"},
                {"retrying", HF_CONSOLE_BAD, "retrying"},
                {"unhealthy", HF_CONSOLE_BAD, "refused"}};
    struct hf_slice state = hf_json_text_of(exporter, "state");
    enum hf_console_level level = HF_CONSOLE_GOOD;
    *ret_word = "not running";
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (hf_slice_is(state, rows[i].state)) {
            *ret_word = rows[i].word;
            level = rows[i].level;
        }
    }
    if (level == HF_CONSOLE_GOOD && hf_console_items(exporter, "dead_letters") != 0) {
        *ret_word = "dead letters";
        level = HF_CONSOLE_WARN;
    }
    return level;
}

/* The sum of what grows in a map of numbers; false: nothing of it is known. */
static bool sum_rate(const struct hf_console_view *view, const struct hf_json *map, double *ret_sum)
{
    bool known = false;
    *ret_sum = 0;
    for (const struct hf_json *at = hf_json_first(map); at != NULL; at = at->next) {
        double rate = 0;
        known = hf_console_rate(view->snapshot, at, &rate) || known;
        *ret_sum += rate;
    }
    return known;
}

enum hf_console_level hf_console_fares(const struct hf_console_view *view, const char *kind,
                                       struct hf_slice id, const char **ret_word)
{
    double refused = 0;
    *ret_word = "running";
    if (strcmp(kind, "exporter") == 0) {
        return exporter_fares(hf_console_find(view, "exporters", NULL, id), ret_word);
    }
    const struct hf_json *component = hf_console_find(view, "components", kind, id);
    const struct hf_json *flow = hf_json_get(component, "flow");
    if (sum_rate(view, hf_json_get(flow, "refused"), &refused) && refused > 0) {
        *ret_word = "refusing";
        return HF_CONSOLE_WARN;
    }
    return HF_CONSOLE_GOOD;
}

/* ---- what needs attention ---- */

struct collection {
    struct hf_console_matter *matters;
    size_t count, all;
};

/* Keeps the list sorted, the worst first. */
static void add(struct collection *collection, const struct hf_console_matter *matter)
{
    size_t at = collection->count;
    collection->all++;
    if (at == HF_CONSOLE_MATTERS_MAX) {
        if (collection->matters[at - 1].level >= matter->level) {
            return;
        }
        at--;
    } else {
        collection->count++;
    }
    for (; at > 0 && collection->matters[at - 1].level < matter->level; at--) {
        collection->matters[at] = collection->matters[at - 1];
    }
    collection->matters[at] = *matter;
}

void hf_console_put_error(struct hf_console_page *page, const struct hf_json *error)
{
    struct hf_slice cause = hf_json_text_of(error, "cause");
    int64_t code = hf_json_int(hf_json_get(error, "code"));
    if (cause.size != 0) {
        hf_console_escape(page, cause);
        if (code != 0) {
            hf_console_put(page, " (code %ld)", (long)code);
        }
        hf_console_put(page, ": ");
    }
    hf_console_escape(page, hf_json_text_of(error, "message"));
}

static void put_exporter(const struct hf_console_view *view, struct hf_console_page *page,
                         const struct hf_console_matter *matter)
{
    const struct hf_json *exporter = matter->about;
    const struct hf_json *error = hf_json_get(exporter, "last_error");
    uint64_t next_ns = hf_console_moment(exporter, "next_attempt_seconds");
    bool is_failing = matter->level == HF_CONSOLE_BAD;
    if (is_failing && error != NULL) {
        hf_console_put_error(page, error);
        hf_console_put(page, " (");
        hf_console_put_ago(view, page, hf_console_moment(error, "time_seconds"));
        hf_console_put(page, "). ");
    }
    if (is_failing || hf_console_items(exporter, "queued") != 0) {
        hf_console_put_count(page, hf_console_items(exporter, "queued"));
        hf_console_put(page, " items wait on disk. ");
    }
    if (next_ns > view->snapshot->taken_unix_ns) {
        hf_console_put(page, "Next attempt in ");
        hf_console_put_duration(page, (double)(next_ns - view->snapshot->taken_unix_ns) / 1e9);
        hf_console_put(page, ". ");
    }
    if (hf_console_items(exporter, "dead_letters") != 0) {
        hf_console_put(page, "<a href=\"/letters/of?exporter=");
        struct hf_slice id = matter->id;
        hf_console_put_url(page, (const char *)id.data);
        hf_console_put(page, "\">");
        hf_console_put_count(page, hf_console_items(exporter, "dead_letters"));
        hf_console_put(page, " items</a> were refused by the backend for good");
        if (hf_json_get(hf_json_get(exporter, "last_refusal"), "message") != NULL) {
            hf_console_put(page, ": ");
            hf_console_put_error(page, hf_json_get(exporter, "last_refusal"));
        }
        hf_console_put(page, ". ");
    }
}

static void put_queue(const struct hf_console_view *view, struct hf_console_page *page,
                      const struct hf_console_matter *matter)
{
    struct hf_slice why = hf_json_text_of(matter->about, "why_unhealthy");
    (void)view;
    if (why.size != 0) {
        hf_console_escape(page, why);
        hf_console_put(page, ". Senders are told to come back. ");
    }
    hf_console_put_bytes(page, hf_console_double(matter->about, "disk_bytes"));
    if (hf_console_double(matter->about, "disk_bytes_max") > 0) {
        hf_console_put(page, " of ");
        hf_console_put_bytes(page, hf_console_double(matter->about, "disk_bytes_max"));
    }
    hf_console_put(page, " are used, ");
    hf_console_put_bytes(page, hf_console_double(matter->about, "free_bytes"));
    hf_console_put(page, " are free on its disk.");
}

static void put_refusing(const struct hf_console_view *view, struct hf_console_page *page,
                         const struct hf_console_matter *matter)
{
    double refused = 0;
    (void)sum_rate(view, hf_json_get(hf_json_get(matter->about, "flow"), "refused"), &refused);
    hf_console_put(page, "Senders are told to come back: ");
    hf_console_put_rate(page, refused);
    hf_console_put(page, ".");
}

static void put_certificate(const struct hf_console_view *view, struct hf_console_page *page,
                            const struct hf_console_matter *matter)
{
    uint64_t expires_ns = hf_console_moment(matter->about, "expires_seconds");
    struct hf_slice error = hf_json_text_of(matter->about, "error");
    struct hf_slice path = hf_json_text_of(matter->about, "path");
    (void)view;
    if (error.size != 0) {
        hf_console_escape(page, error);
        return;
    }
    hf_console_put(page, "The certificate %.*s expires at ", (int)path.size,
                   (const char *)path.data);
    hf_console_put_time(page, expires_ns);
    hf_console_put(page, ".");
}

static void put_reload(const struct hf_console_view *view, struct hf_console_page *page,
                       const struct hf_console_matter *matter)
{
    (void)view;
    hf_console_put(page, "The last configuration was not taken; the one before runs: ");
    hf_console_escape(page, hf_json_text_of(matter->about, "error"));
}

static void put_process(const struct hf_console_view *view, struct hf_console_page *page,
                        const struct hf_console_matter *matter)
{
    (void)view;
    if (hf_json_bool(hf_json_get(matter->about, "draining"))) {
        hf_console_put(page, "It drains: no more data is taken, what is queued is delivered.");
    } else if (hf_json_bool(hf_json_get(matter->about, "ephemeral"))) {
        hf_console_put(page, "The data directory does not outlive the container.");
    } else {
        hf_console_escape(page, hf_json_text_of(matter->about, "why_not_ready"));
    }
}

static void look_at_process(const struct hf_console_view *view, struct collection *collection)
{
    const struct hf_json *process = hf_json_get(view->snapshot->root, "process");
    bool is_ready = hf_json_bool(hf_json_get(process, "ready"));
    bool is_draining = hf_json_bool(hf_json_get(process, "draining"));
    if (process != NULL &&
        (!is_ready || is_draining || hf_json_bool(hf_json_get(process, "ephemeral")))) {
        add(collection, &(struct hf_console_matter){
                            .level = is_ready || is_draining ? HF_CONSOLE_WARN : HF_CONSOLE_BAD,
                            .path = "/",
                            .what = "process",
                            .id = hf_slice_text(""),
                            .about = process,
                            .put = put_process});
    }
}

static void look_at_components(const struct hf_console_view *view, struct collection *collection)
{
    const char *word;
    for (const struct hf_json *at = hf_console_first(view, "components"); at != NULL;
         at = at->next) {
        struct hf_slice id = hf_json_text_of(at, "id"), kind = hf_json_text_of(at, "kind");
        bool is_exporter = hf_slice_is(kind, "exporter");
        enum hf_console_level level =
            kind.size != 0 ? hf_console_fares(view, (const char *)kind.data, id, &word)
                           : HF_CONSOLE_GOOD;
        if (level != HF_CONSOLE_GOOD) {
            add(collection,
                &(struct hf_console_matter){
                    .level = level,
                    .path = "/component",
                    .kind = (const char *)kind.data,
                    .what = (const char *)kind.data,
                    .id = id,
                    .about = is_exporter ? hf_console_find(view, "exporters", NULL, id) : at,
                    .put = is_exporter ? put_exporter : put_refusing});
        }
    }
}

static void look_at_queues(const struct hf_console_view *view, struct collection *collection)
{
    const char *word;
    for (const struct hf_json *at = hf_console_first(view, "queues"); at != NULL; at = at->next) {
        struct hf_slice kind = hf_json_text_of(at, "kind");
        enum hf_console_level level = hf_console_queue_fares(at, &word);
        if (level != HF_CONSOLE_GOOD) {
            add(collection, &(struct hf_console_matter){.level = level,
                                                        .path = "/queue",
                                                        .kind = (const char *)kind.data,
                                                        .what = "queue",
                                                        .id = hf_json_text_of(at, "id"),
                                                        .about = at,
                                                        .put = put_queue});
        }
    }
}

static void look_at_the_rest(const struct hf_console_view *view, struct collection *collection)
{
    const struct hf_json *last = NULL;
    for (const struct hf_json *at = hf_console_first(view, "certificates"); at != NULL;
         at = at->next) {
        uint64_t expires_ns = hf_console_moment(at, "expires_seconds");
        uint64_t now_ns = view->snapshot->taken_unix_ns;
        bool is_over = hf_json_text_of(at, "error").size != 0 || expires_ns <= now_ns;
        if (is_over || expires_ns < now_ns + HF_CONSOLE_EXPIRY_WARN_NS) {
            add(collection,
                &(struct hf_console_matter){.level = is_over ? HF_CONSOLE_BAD : HF_CONSOLE_WARN,
                                            .path = "/certificates",
                                            .what = "certificate",
                                            .id = hf_json_text_of(at, "id"),
                                            .about = at,
                                            .put = put_certificate});
        }
    }
    for (const struct hf_json *at = hf_console_first(view, "reloads"); at != NULL; at = at->next) {
        last = at;
    }
    if (last != NULL && hf_json_text_of(last, "error").size != 0) {
        add(collection, &(struct hf_console_matter){.level = HF_CONSOLE_WARN,
                                                    .path = "/reloads",
                                                    .what = "reload",
                                                    .id = hf_slice_text(""),
                                                    .about = last,
                                                    .put = put_reload});
    }
}

size_t hf_console_matters(const struct hf_console_view *view,
                          struct hf_console_matter ret_matters[HF_CONSOLE_MATTERS_MAX],
                          size_t *ret_all)
{
    struct collection collection = {.matters = ret_matters};
    look_at_process(view, &collection);
    look_at_components(view, &collection);
    look_at_queues(view, &collection);
    look_at_the_rest(view, &collection);
    *ret_all = collection.all;
    return collection.count;
}
